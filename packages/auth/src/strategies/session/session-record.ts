import {
  DataTypes,
  type InferAttributes,
  type InferCreationAttributes,
  type Model,
  type ModelStatic,
  type Sequelize,
} from 'sequelize'

/**
 * A row of `auth_sessions`: what the panel knows of a session. Nothing in it lets its reader in; that takes the token,
 * which the keyring's secret signs.
 */
export interface SessionRecord extends Model<InferAttributes<SessionRecord>, InferCreationAttributes<SessionRecord>> {
  /** The token's `jti`. */
  id: string
  userId: string
  /** The user's when it began; see `DirectoryUser.securityStamp`. */
  securityStamp: string | null
  createdAt: Date
  /** When its user last proved who they are. */
  authenticatedAt: Date
  /** To the minute. */
  lastSeenAt: Date
  /** Moves on as the session is used. */
  expiresAt: Date
  ip: string
  userAgent: string | null
  methods: string[]
}

export type SessionRecords = ModelStatic<SessionRecord>

export function defineSessionRecords(sequelize: Sequelize): SessionRecords {
  return sequelize.define<SessionRecord>(
    'AuthSession',
    {
      id: { type: DataTypes.UUID, primaryKey: true },
      userId: { type: DataTypes.TEXT, allowNull: false },
      securityStamp: { type: DataTypes.TEXT },
      createdAt: { type: DataTypes.DATE, allowNull: false },
      authenticatedAt: { type: DataTypes.DATE, allowNull: false },
      lastSeenAt: { type: DataTypes.DATE, allowNull: false },
      expiresAt: { type: DataTypes.DATE, allowNull: false },
      ip: { type: DataTypes.TEXT, allowNull: false },
      userAgent: { type: DataTypes.TEXT },
      methods: { type: DataTypes.ARRAY(DataTypes.TEXT), allowNull: false },
    },
    { tableName: 'auth_sessions', underscored: true, timestamps: false },
  )
}

import {
  type CreationOptional,
  DataTypes,
  type InferAttributes,
  type InferCreationAttributes,
  type Model,
  type ModelStatic,
  type Sequelize,
} from 'sequelize'

/** A row of `auth_users`. Stays inside the directory: what leaves it is a `DirectoryUser` or a `UserView`. */
export interface UserRecord extends Model<InferAttributes<UserRecord>, InferCreationAttributes<UserRecord>> {
  id: string
  /** As it was given. */
  email: string
  /** Unique; see `normaliseEmail`. */
  emailNormalised: string
  name: string | null
  /** PHC string. */
  passwordHash: string
  permissions: string[]
  suspended: boolean
  /** See `DirectoryUser.securityStamp`. */
  securityStamp: string
  /** See `DirectoryUser.accessStamp`. */
  accessStamp: string
  /** The user's own limits, in place of the settings' `quotas`. */
  quotas: CreationOptional<Record<string, number> | null>
  createdAt: CreationOptional<Date>
  updatedAt: CreationOptional<Date>
}

export type UserRecords = ModelStatic<UserRecord>

export function defineUserRecords(sequelize: Sequelize): UserRecords {
  return sequelize.define<UserRecord>(
    'AuthUser',
    {
      id: { type: DataTypes.UUID, primaryKey: true },
      email: { type: DataTypes.TEXT, allowNull: false },
      emailNormalised: { type: DataTypes.TEXT, allowNull: false },
      name: { type: DataTypes.TEXT },
      passwordHash: { type: DataTypes.TEXT, allowNull: false },
      permissions: { type: DataTypes.ARRAY(DataTypes.TEXT), allowNull: false },
      suspended: { type: DataTypes.BOOLEAN, allowNull: false },
      securityStamp: { type: DataTypes.UUID, allowNull: false },
      accessStamp: { type: DataTypes.UUID, allowNull: false },
      quotas: { type: DataTypes.JSONB },
      createdAt: { type: DataTypes.DATE, allowNull: false },
      updatedAt: { type: DataTypes.DATE, allowNull: false },
    },
    { tableName: 'auth_users', underscored: true },
  )
}

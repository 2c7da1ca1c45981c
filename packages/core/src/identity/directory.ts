import type { Disposer } from '../kernel/scope.js'
import { defineService, type ServiceToken } from '../kernel/service.js'
import type { Membership } from './principal.js'

/** A person as the rest of Sallyport knows them; ids of any database type are given as strings. */
export interface DirectoryUser {
  readonly id: string
  readonly email: string
  readonly name: string | null
  readonly permissions: readonly string[]
  readonly memberships: readonly Membership[]
  /** A suspended user has no sessions, keys or tunnels. */
  readonly suspended: boolean
  /**
   * Changes whenever everything that the user has signed in with must end: on a suspension, on a new password. A session
   * begun under another stamp is void. Not a secret. A directory without it tells `onChange`, which is only as reliable
   * as its telling.
   */
  readonly securityStamp?: string
  /**
   * Changes whenever everything that acts for the user must end for good, on a suspension: an API key made under another
   * stamp is void. A new password leaves it. Not a secret.
   */
  readonly accessStamp?: string
  /** The user's own limits, such as `allocationsPerUser`, in place of the settings' `quotas`. */
  readonly quotas?: Readonly<Record<string, number>>
}

/** An organisation as the rest of Sallyport knows it. */
export interface DirectoryOrganisation {
  readonly id: string
  readonly name: string
  /** The organisation's own limits, such as `allocationsPerOrganisation`, in place of the settings' `quotas`. */
  readonly quotas?: Readonly<Record<string, number>>
}

/** Something about a user that ends or narrows what they may do, told so that live things can follow at once. */
export interface DirectoryChange {
  readonly userId: string
  readonly change: 'suspended' | 'deleted' | 'permissions' | 'password'
}

/** Where users come from: the built-in directory of `@sallyport/auth`, or the host's own users. */
export interface UserDirectory {
  findById(id: string): Promise<DirectoryUser | undefined>
  /** E-mails differ not by case. */
  findByEmail(email: string): Promise<DirectoryUser | undefined>
  /** Takes as long for a user that does not exist as for a wrong password. */
  verifyPassword(email: string, password: string): Promise<DirectoryUser | undefined>
  /**
   * Replaces the password and gives the user with their new security stamp, `undefined` when there is no such user; not
   * told to `onChange`: who calls it ends the sessions. Left out by a directory that keeps passwords to itself.
   */
  changePassword?(id: string, newPassword: string): Promise<DirectoryUser | undefined>
  /** Left out by a directory without organisations. */
  findOrganisation?(id: string): Promise<DirectoryOrganisation | undefined>
  onChange(handler: (change: DirectoryChange) => void | Promise<void>): Disposer
  /** Told the id of an organisation that is gone, with what it owned. Left out by a directory without organisations. */
  onOrganisationDeleted?(handler: (organisationId: string) => void | Promise<void>): Disposer
}

export const UserDirectory: ServiceToken<UserDirectory> = defineService<UserDirectory>('core.user-directory')

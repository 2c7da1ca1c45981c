// The panel's API. Made by `npm run client:update` from its OpenAPI document; not to be edited.
export interface paths {
  '/api/apikeys': {
    parameters: {
      query?: never
      header?: never
      path?: never
      cookie?: never
    }
    /**
     * Lists everybody's API keys, newest first
     * @description Needs the permission `apikeys:read`.
     */
    get: operations['getApikeys']
    put?: never
    /**
     * Makes an API key and shows it, once
     * @description A `client` key may do what its `permissions` say, and never more than its owner may at the time. Some permissions every user may give to a key of their own: within it they open what is its owner’s. Only a holder of `*` makes an `admin` key. One for another user (`userId`) needs `users:write`. Nobody gives a key what they do not hold; a key that makes another gives it no more than it has itself, and takes it along when it ends. A session must have been freshly authenticated.
     */
    post: operations['postApikeys']
    delete?: never
    options?: never
    head?: never
    patch?: never
    trace?: never
  }
  '/api/apikeys/{id}': {
    parameters: {
      query?: never
      header?: never
      path?: never
      cookie?: never
    }
    /**
     * Gives one API key
     * @description Another's only to a holder of `apikeys:read`.
     */
    get: operations['getApikeysById']
    put?: never
    post?: never
    /** Deletes an API key; it is dead at once, and so are the keys that were made by it */
    delete: operations['deleteApikeysById']
    options?: never
    head?: never
    /**
     * Changes an API key, in force at once
     * @description Another's only for a holder of `apikeys:write` or `users:write`. Nobody changes a key that may do what they may not. `expiresAt: null` lifts the end.
     */
    patch: operations['patchApikeysById']
    trace?: never
  }
  '/api/apikeys/{id}/rotate': {
    parameters: {
      query?: never
      header?: never
      path?: never
      cookie?: never
    }
    get?: never
    put?: never
    /**
     * Gives an API key a new secret and shows it, once; the old one is dead at once
     * @description With it end the keys that were made by it.
     */
    post: operations['postApikeysByIdRotate']
    delete?: never
    options?: never
    head?: never
    patch?: never
    trace?: never
  }
  '/api/apikeys/my': {
    parameters: {
      query?: never
      header?: never
      path?: never
      cookie?: never
    }
    /** Lists the caller's API keys, newest first */
    get: operations['getApikeysMy']
    put?: never
    post?: never
    delete?: never
    options?: never
    head?: never
    patch?: never
    trace?: never
  }
  '/api/audit': {
    parameters: {
      query?: never
      header?: never
      path?: never
      cookie?: never
    }
    /**
     * Who did what, from where, when; newest first
     * @description Needs the permission `audit:read`.
     */
    get: operations['getAudit']
    put?: never
    post?: never
    delete?: never
    options?: never
    head?: never
    patch?: never
    trace?: never
  }
  '/api/auth/2fa': {
    parameters: {
      query?: never
      header?: never
      path?: never
      cookie?: never
    }
    /**
     * Says whether the caller's two-factor sign-in is on, and by what it can be passed
     * @description For principals of kind user.
     */
    get: operations['getAuth2fa']
    put?: never
    post?: never
    delete?: never
    options?: never
    head?: never
    patch?: never
    trace?: never
  }
  '/api/auth/2fa/disable': {
    parameters: {
      query?: never
      header?: never
      path?: never
      cookie?: never
    }
    get?: never
    put?: never
    /**
     * Turns the caller's two-factor sign-in off
     * @description Takes a code of the authenticator app or a recovery code, exactly one. The secret and the recovery codes are deleted. Needs a fresh sign-in.
     *
     *     For principals of kind user.
     */
    post: operations['postAuth2faDisable']
    delete?: never
    options?: never
    head?: never
    patch?: never
    trace?: never
  }
  '/api/auth/2fa/recovery-codes': {
    parameters: {
      query?: never
      header?: never
      path?: never
      cookie?: never
    }
    get?: never
    put?: never
    /**
     * Makes new recovery codes; all earlier ones end
     * @description Takes a code of the authenticator app. Needs a fresh sign-in.
     *
     *     For principals of kind user.
     */
    post: operations['postAuth2faRecoveryCodes']
    delete?: never
    options?: never
    head?: never
    patch?: never
    trace?: never
  }
  '/api/auth/2fa/send-email': {
    parameters: {
      query?: never
      header?: never
      path?: never
      cookie?: never
    }
    get?: never
    put?: never
    /**
     * Sends a code for signing in by mail
     * @description The code has six digits, lives 5 minutes, and ends with the fifth wrong try and when another is sent. At most 3 are sent for one sign-in, and 10 to one account in an hour.
     */
    post: operations['postAuth2faSendEmail']
    delete?: never
    options?: never
    head?: never
    patch?: never
    trace?: never
  }
  '/api/auth/2fa/setup': {
    parameters: {
      query?: never
      header?: never
      path?: never
      cookie?: never
    }
    /**
     * Makes a secret for an authenticator app
     * @description The secret is shown this once, and is in force when a code of it comes to `/api/auth/2fa/verify` within 15 minutes; until then the one in force, if any, stays. Another call makes another secret. Needs a fresh sign-in.
     *
     *     For principals of kind user.
     */
    get: operations['getAuth2faSetup']
    put?: never
    post?: never
    delete?: never
    options?: never
    head?: never
    patch?: never
    trace?: never
  }
  '/api/auth/2fa/verify': {
    parameters: {
      query?: never
      header?: never
      path?: never
      cookie?: never
    }
    get?: never
    put?: never
    /**
     * Turns two-factor sign-in on, or moves it to a new secret
     * @description Takes a code of the secret that `/api/auth/2fa/setup` gave. The recovery codes are shown this once; earlier ones end. 409 `two_factor_setup_missing` when no set-up is under way. Needs a fresh sign-in.
     *
     *     For principals of kind user.
     */
    post: operations['postAuth2faVerify']
    delete?: never
    options?: never
    head?: never
    patch?: never
    trace?: never
  }
  '/api/auth/2fa/verify-login': {
    parameters: {
      query?: never
      header?: never
      path?: never
      cookie?: never
    }
    get?: never
    put?: never
    /**
     * Completes a sign-in with a second factor
     * @description Takes the `tempToken` of `/api/auth/login` and exactly one of `token` (authenticator app), `emailCode` and `backupCode`. The tempToken lives 5 minutes and works once; a wrong code leaves it as it is. 401 `invalid_code` for a wrong code, `invalid_temp_token` when the sign-in has to begin again.
     */
    post: operations['postAuth2faVerifyLogin']
    delete?: never
    options?: never
    head?: never
    patch?: never
    trace?: never
  }
  '/api/auth/login': {
    parameters: {
      query?: never
      header?: never
      path?: never
      cookie?: never
    }
    get?: never
    put?: never
    /**
     * Signs in by e-mail and password
     * @description Gives a session token, to be sent as `Authorization: Bearer`, and sets it as the cookie `session`; or, with a second factor set up, a `tempToken` for the next step. The answer is the same for a wrong password, an unknown e-mail address and a suspended user.
     */
    post: operations['postAuthLogin']
    delete?: never
    options?: never
    head?: never
    patch?: never
    trace?: never
  }
  '/api/auth/logout': {
    parameters: {
      query?: never
      header?: never
      path?: never
      cookie?: never
    }
    get?: never
    put?: never
    /**
     * Signs out
     * @description The token is dead at once, on every instance of the panel.
     *
     *     For principals of kind user.
     */
    post: operations['postAuthLogout']
    delete?: never
    options?: never
    head?: never
    patch?: never
    trace?: never
  }
  '/api/auth/passkey/authenticate': {
    parameters: {
      query?: never
      header?: never
      path?: never
      cookie?: never
    }
    get?: never
    put?: never
    /**
     * Signs in by a passkey
     * @description `response` is what `PublicKeyCredential.toJSON()` gives after `navigator.credentials.get`. Gives a session token and sets it as the cookie `session`. No second factor is asked for: the authenticator has verified its user.
     */
    post: operations['postAuthPasskeyAuthenticate']
    delete?: never
    options?: never
    head?: never
    patch?: never
    trace?: never
  }
  '/api/auth/passkey/authenticate-challenge': {
    parameters: {
      query?: never
      header?: never
      path?: never
      cookie?: never
    }
    /**
     * Begins to sign in by a passkey
     * @description Gives request options (WebAuthn L3 JSON) for `PublicKeyCredential.parseRequestOptionsFromJSON`, good for 5 minutes and once. With `email` no other user’s passkey will do; the answer says nothing about whether there is one.
     */
    get: operations['getAuthPasskeyAuthenticateChallenge']
    put?: never
    /**
     * Begins to sign in by a passkey
     * @description Gives request options (WebAuthn L3 JSON) for `PublicKeyCredential.parseRequestOptionsFromJSON`, good for 5 minutes and once. With `email` no other user’s passkey will do; the answer says nothing about whether there is one.
     */
    post: operations['postAuthPasskeyAuthenticateChallenge']
    delete?: never
    options?: never
    head?: never
    patch?: never
    trace?: never
  }
  '/api/auth/passkey/register': {
    parameters: {
      query?: never
      header?: never
      path?: never
      cookie?: never
    }
    get?: never
    put?: never
    /**
     * Stores a passkey that the browser made
     * @description `response` is what `PublicKeyCredential.toJSON()` gives after `navigator.credentials.create`. Needs a fresh sign-in. 409 for a passkey that is registered already, and beyond 50 passkeys.
     *
     *     For principals of kind user.
     */
    post: operations['postAuthPasskeyRegister']
    delete?: never
    options?: never
    head?: never
    patch?: never
    trace?: never
  }
  '/api/auth/passkey/register-challenge': {
    parameters: {
      query?: never
      header?: never
      path?: never
      cookie?: never
    }
    /**
     * Begins to make a passkey
     * @description Gives creation options (WebAuthn L3 JSON) for `PublicKeyCredential.parseCreationOptionsFromJSON`. They hold for 5 minutes, for the caller, once; asking again ends the earlier ones. Needs a fresh sign-in.
     *
     *     For principals of kind user.
     */
    get: operations['getAuthPasskeyRegisterChallenge']
    put?: never
    /**
     * Begins to make a passkey
     * @description Gives creation options (WebAuthn L3 JSON) for `PublicKeyCredential.parseCreationOptionsFromJSON`. They hold for 5 minutes, for the caller, once; asking again ends the earlier ones. Needs a fresh sign-in.
     *
     *     For principals of kind user.
     */
    post: operations['postAuthPasskeyRegisterChallenge']
    delete?: never
    options?: never
    head?: never
    patch?: never
    trace?: never
  }
  '/api/auth/passkeys': {
    parameters: {
      query?: never
      header?: never
      path?: never
      cookie?: never
    }
    /**
     * Lists the caller's passkeys, oldest first
     * @description For principals of kind user.
     */
    get: operations['getAuthPasskeys']
    put?: never
    post?: never
    delete?: never
    options?: never
    head?: never
    patch?: never
    trace?: never
  }
  '/api/auth/passkeys/{id}': {
    parameters: {
      query?: never
      header?: never
      path?: never
      cookie?: never
    }
    get?: never
    put?: never
    post?: never
    /**
     * Removes one of the caller's passkeys
     * @description It signs nobody in from then on. Needs a fresh sign-in.
     *
     *     For principals of kind user.
     */
    delete: operations['deleteAuthPasskeysById']
    options?: never
    head?: never
    /**
     * Renames one of the caller's passkeys
     * @description For principals of kind user.
     */
    patch: operations['patchAuthPasskeysById']
    trace?: never
  }
  '/api/auth/password': {
    parameters: {
      query?: never
      header?: never
      path?: never
      cookie?: never
    }
    get?: never
    put?: never
    /**
     * Changes the caller's password and ends all their other sessions
     * @description A password has 8 to 256 characters. Wrong tries count like wrong tries to sign in.
     *
     *     For principals of kind user.
     */
    post: operations['postAuthPassword']
    delete?: never
    options?: never
    head?: never
    patch?: never
    trace?: never
  }
  '/api/auth/password-reset/confirm': {
    parameters: {
      query?: never
      header?: never
      path?: never
      cookie?: never
    }
    get?: never
    put?: never
    /**
     * Chooses a new password by the token of a link, and ends all sessions
     * @description A second factor stays on, and is asked for at the next sign-in. A password that is refused leaves the token in force. A token that is unknown, used or expired is 401.
     */
    post: operations['postAuthPasswordResetConfirm']
    delete?: never
    options?: never
    head?: never
    patch?: never
    trace?: never
  }
  '/api/auth/password-reset/request': {
    parameters: {
      query?: never
      header?: never
      path?: never
      cookie?: never
    }
    get?: never
    put?: never
    /**
     * Sends a link by which a new password is chosen
     * @description The answer is the same whether there is such a user or not, and comes before that is looked up. The link works once, for 30 minutes; another one ends it.
     */
    post: operations['postAuthPasswordResetRequest']
    delete?: never
    options?: never
    head?: never
    patch?: never
    trace?: never
  }
  '/api/auth/reauthenticate': {
    parameters: {
      query?: never
      header?: never
      path?: never
      cookie?: never
    }
    get?: never
    put?: never
    /**
     * Proves again who the caller is
     * @description By password, by a code of the authenticator app (`token`) or by a passkey (`response`). Delicate actions are then open for 10 minutes. For somebody with a second factor a password is enough only in a session that the second factor has been shown in.
     *
     *     For principals of kind user.
     */
    post: operations['postAuthReauthenticate']
    delete?: never
    options?: never
    head?: never
    patch?: never
    trace?: never
  }
  '/api/auth/session': {
    parameters: {
      query?: never
      header?: never
      path?: never
      cookie?: never
    }
    /**
     * Says who makes the request, and how they are signed in
     * @description `user` is null for credentials of nobody in particular, `session` for those that are no session.
     */
    get: operations['getAuthSession']
    put?: never
    post?: never
    delete?: never
    options?: never
    head?: never
    patch?: never
    trace?: never
  }
  '/api/auth/sessions': {
    parameters: {
      query?: never
      header?: never
      path?: never
      cookie?: never
    }
    /**
     * Lists the caller's sessions, latest used first
     * @description For principals of kind user.
     */
    get: operations['getAuthSessions']
    put?: never
    post?: never
    /**
     * Ends all of the caller's sessions but the present one
     * @description For principals of kind user.
     */
    delete: operations['deleteAuthSessions']
    options?: never
    head?: never
    patch?: never
    trace?: never
  }
  '/api/auth/sessions/{id}': {
    parameters: {
      query?: never
      header?: never
      path?: never
      cookie?: never
    }
    get?: never
    put?: never
    post?: never
    /**
     * Ends one of the caller's sessions
     * @description For principals of kind user.
     */
    delete: operations['deleteAuthSessionsById']
    options?: never
    head?: never
    patch?: never
    trace?: never
  }
  '/api/docs': {
    parameters: {
      query?: never
      header?: never
      path?: never
      cookie?: never
    }
    /** This API for people */
    get: operations['getDocs']
    put?: never
    post?: never
    delete?: never
    options?: never
    head?: never
    patch?: never
    trace?: never
  }
  '/api/health/live': {
    parameters: {
      query?: never
      header?: never
      path?: never
      cookie?: never
    }
    /** Whether the process answers */
    get: operations['getHealthLive']
    put?: never
    post?: never
    delete?: never
    options?: never
    head?: never
    patch?: never
    trace?: never
  }
  '/api/health/ready': {
    parameters: {
      query?: never
      header?: never
      path?: never
      cookie?: never
    }
    /** Whether this instance can serve, and what is missing */
    get: operations['getHealthReady']
    put?: never
    post?: never
    delete?: never
    options?: never
    head?: never
    patch?: never
    trace?: never
  }
  '/api/openapi.json': {
    parameters: {
      query?: never
      header?: never
      path?: never
      cookie?: never
    }
    /** This API as OpenAPI 3.1 */
    get: operations['getOpenapiJson']
    put?: never
    post?: never
    delete?: never
    options?: never
    head?: never
    patch?: never
    trace?: never
  }
  '/api/organisations': {
    parameters: {
      query?: never
      header?: never
      path?: never
      cookie?: never
    }
    /** Lists the caller's organisations; for holders of organisations:read all, oldest first */
    get: operations['getOrganisations']
    put?: never
    /**
     * Makes an organisation that the caller owns
     * @description An API key needs the permission organisations:write, and makes it for its owner.
     */
    post: operations['postOrganisations']
    delete?: never
    options?: never
    head?: never
    patch?: never
    trace?: never
  }
  '/api/organisations/{id}': {
    parameters: {
      query?: never
      header?: never
      path?: never
      cookie?: never
    }
    /** Gives one organisation and its members */
    get: operations['getOrganisationsById']
    put?: never
    post?: never
    /** Deletes an organisation: for its owners, and for holders of organisations:write */
    delete: operations['deleteOrganisationsById']
    options?: never
    head?: never
    /**
     * Changes an organisation's name or quotas
     * @description Admins and owners change the name, holders of organisations:write the quotas too.
     */
    patch: operations['patchOrganisationsById']
    trace?: never
  }
  '/api/organisations/{id}/members/{userId}': {
    parameters: {
      query?: never
      header?: never
      path?: never
      cookie?: never
    }
    get?: never
    /**
     * Adds a member, or changes a member's role
     * @description For admins and owners. An admin makes and removes no owner, and the last owner stays one.
     */
    put: operations['putOrganisationsByIdMembersByUserId']
    post?: never
    /** Removes a member, oneself too */
    delete: operations['deleteOrganisationsByIdMembersByUserId']
    options?: never
    head?: never
    patch?: never
    trace?: never
  }
  '/api/settings': {
    parameters: {
      query?: never
      header?: never
      path?: never
      cookie?: never
    }
    /**
     * All settings in force
     * @description Needs the permission `settings:write`.
     */
    get: operations['getSettings']
    put?: never
    post?: never
    delete?: never
    options?: never
    head?: never
    /**
     * Changes settings, in force at once on every instance
     * @description A JSON merge patch (RFC 7396) of the settings: null gives a field its default.
     *
     *     Needs the permission `settings:write`.
     */
    patch: operations['patchSettings']
    trace?: never
  }
  '/api/tunnel/allocations': {
    parameters: {
      query?: never
      header?: never
      path?: never
      cookie?: never
    }
    /**
     * Lists allocations of the devices that the caller may see
     * @description For principals of kind user, apiKey, device.
     */
    get: operations['getTunnelAllocations']
    put?: never
    /**
     * Makes an allocation, or one for TCP and one for UDP on one number
     * @description For principals of kind user, apiKey, device.
     */
    post: operations['postTunnelAllocations']
    delete?: never
    options?: never
    head?: never
    patch?: never
    trace?: never
  }
  '/api/tunnel/allocations/{id}': {
    parameters: {
      query?: never
      header?: never
      path?: never
      cookie?: never
    }
    get?: never
    put?: never
    post?: never
    /**
     * Removes an allocation; its port is kept for its device for a while
     * @description For principals of kind user, apiKey, device.
     */
    delete: operations['deleteTunnelAllocationsById']
    options?: never
    head?: never
    /**
     * Changes the target, the name or the options of an allocation
     * @description Options are merged: null lifts one, or all of them. They hold at once, for present players too.
     *
     *     For principals of kind user, apiKey, device.
     */
    patch: operations['patchTunnelAllocationsById']
    trace?: never
  }
  '/api/tunnel/allocations/{id}/close': {
    parameters: {
      query?: never
      header?: never
      path?: never
      cookie?: never
    }
    get?: never
    put?: never
    /**
     * Pauses an allocation: the port is kept, players are cut
     * @description For principals of kind user, apiKey, device.
     */
    post: operations['postTunnelAllocationsByIdClose']
    delete?: never
    options?: never
    head?: never
    patch?: never
    trace?: never
  }
  '/api/tunnel/allocations/{id}/open': {
    parameters: {
      query?: never
      header?: never
      path?: never
      cookie?: never
    }
    get?: never
    put?: never
    /**
     * Resumes an allocation
     * @description For principals of kind user, apiKey, device.
     */
    post: operations['postTunnelAllocationsByIdOpen']
    delete?: never
    options?: never
    head?: never
    patch?: never
    trace?: never
  }
  '/api/tunnel/allocations/{id}/traffic': {
    parameters: {
      query?: never
      header?: never
      path?: never
      cookie?: never
    }
    /**
     * What passed an allocation, by minutes or hours, and what passes now
     * @description From `from` (rounded down) to `to` (rounded up), ISO 8601 with a zone; by default the last 60 minutes or 24 hours. At most 1,500 minutes or 2,200 hours. One point for each minute or hour, zeros where nothing passed or nothing is kept.
     *
     *     For principals of kind user, apiKey, device.
     */
    get: operations['getTunnelAllocationsByIdTraffic']
    put?: never
    post?: never
    delete?: never
    options?: never
    head?: never
    patch?: never
    trace?: never
  }
  '/api/tunnel/device/approve': {
    parameters: {
      query?: never
      header?: never
      path?: never
      cookie?: never
    }
    get?: never
    put?: never
    /**
     * Approves the device that shows this code
     * @description Needs the permission `tunnels:approve`.
     */
    post: operations['postTunnelDeviceApprove']
    delete?: never
    options?: never
    head?: never
    patch?: never
    trace?: never
  }
  '/api/tunnel/device/deny': {
    parameters: {
      query?: never
      header?: never
      path?: never
      cookie?: never
    }
    get?: never
    put?: never
    /**
     * Denies the device that shows this code
     * @description Needs the permission `tunnels:approve`.
     */
    post: operations['postTunnelDeviceDeny']
    delete?: never
    options?: never
    head?: never
    patch?: never
    trace?: never
  }
  '/api/tunnel/device/poll': {
    parameters: {
      query?: never
      header?: never
      path?: never
      cookie?: never
    }
    /**
     * Tells a device whether it is approved, and gives it its token
     * @description RFC 8628 section 3.4. Faster than the interval: 429. Expired, denied or redeemed: 410.
     */
    get: operations['getTunnelDevicePoll']
    put?: never
    post?: never
    delete?: never
    options?: never
    head?: never
    patch?: never
    trace?: never
  }
  '/api/tunnel/device/start': {
    parameters: {
      query?: never
      header?: never
      path?: never
      cookie?: never
    }
    get?: never
    put?: never
    /**
     * Starts the enrolment of a device
     * @description RFC 8628 section 3.1. Without credentials: a device of kind client that gets its owner when it is approved.
     */
    post: operations['postTunnelDeviceStart']
    delete?: never
    options?: never
    head?: never
    patch?: never
    trace?: never
  }
  '/api/tunnel/devices': {
    parameters: {
      query?: never
      header?: never
      path?: never
      cookie?: never
    }
    /**
     * Lists devices
     * @description The caller's own and those of organisations that the caller manages; with tunnels:read everyone's.
     */
    get: operations['getTunnelDevices']
    put?: never
    post?: never
    delete?: never
    options?: never
    head?: never
    patch?: never
    trace?: never
  }
  '/api/tunnel/devices/{id}': {
    parameters: {
      query?: never
      header?: never
      path?: never
      cookie?: never
    }
    get?: never
    put?: never
    post?: never
    /** Removes a device with its allocations, closes its channel and cuts its players */
    delete: operations['deleteTunnelDevicesById']
    options?: never
    head?: never
    /** Renames a device */
    patch: operations['patchTunnelDevicesById']
    trace?: never
  }
  '/api/tunnel/devices/{id}/delete': {
    parameters: {
      query?: never
      header?: never
      path?: never
      cookie?: never
    }
    get?: never
    put?: never
    post?: never
    /** Removes a device with its allocations, closes its channel and cuts its players */
    delete: operations['deleteTunnelDevicesByIdDelete']
    options?: never
    head?: never
    patch?: never
    trace?: never
  }
  '/api/tunnel/devices/{id}/regenerate-token': {
    parameters: {
      query?: never
      header?: never
      path?: never
      cookie?: never
    }
    get?: never
    put?: never
    /** Makes a new token for a device; the old one is dead at once */
    post: operations['postTunnelDevicesByIdRegenerateToken']
    delete?: never
    options?: never
    head?: never
    patch?: never
    trace?: never
  }
  '/api/tunnel/events': {
    parameters: {
      query?: never
      header?: never
      path?: never
      cookie?: never
    }
    /**
     * Devices, allocations, relays and traffic as they change
     * @description Server-sent events. The data of each is JSON; the schema shows them as `{ event, data }`.
     *
     *     - `devices`, `allocations`, `relays`: `{ reset, items, removed }`. The first of each has `reset: true` and everything that the caller may see, as the list's own route gives it. Later ones have what is new or different, and the ids of what is gone. Another with `reset: true` takes the place of everything before: the caller may see other things now. What changes all the time is no change: `traffic`, and `lastSeenAt` of what is online.
     *     - `traffic`: `{ items }`, each second, of those allocations whose numbers are others than before.
     *
     *     The stream ends within seconds when the credentials do not hold any more or tunnels are switched off, and after an hour at the latest; a client comes back by itself, and begins anew. Who reads too slowly is told less often, and nothing twice; who takes nothing for a minute is cut. Too many streams of one caller are 429 `too_many_streams`.
     */
    get: operations['getTunnelEvents']
    put?: never
    post?: never
    delete?: never
    options?: never
    head?: never
    patch?: never
    trace?: never
  }
  '/api/tunnel/relays': {
    parameters: {
      query?: never
      header?: never
      path?: never
      cookie?: never
    }
    /**
     * Lists relays with their load
     * @description For principals of kind user, apiKey, device.
     */
    get: operations['getTunnelRelays']
    put?: never
    post?: never
    delete?: never
    options?: never
    head?: never
    patch?: never
    trace?: never
  }
  '/api/users': {
    parameters: {
      query?: never
      header?: never
      path?: never
      cookie?: never
    }
    /**
     * Lists users, oldest first
     * @description Needs the permission `users:read`.
     */
    get: operations['getUsers']
    put?: never
    /**
     * Makes a user
     * @description Nobody grants a permission that they do not hold.
     *
     *     Needs the permission `users:write`.
     */
    post: operations['postUsers']
    delete?: never
    options?: never
    head?: never
    patch?: never
    trace?: never
  }
  '/api/users/{id}': {
    parameters: {
      query?: never
      header?: never
      path?: never
      cookie?: never
    }
    /**
     * Gives one user
     * @description Needs the permission `users:read`.
     */
    get: operations['getUsersById']
    put?: never
    post?: never
    /**
     * Deletes a user and ends everything of theirs
     * @description Organisations that have no other member are deleted too; one that would be left without an owner is 409 `last_owner`.
     *
     *     Needs the permission `users:write`.
     */
    delete: operations['deleteUsersById']
    options?: never
    head?: never
    /**
     * Changes a user
     * @description A suspension or a new password ends every session of the user at once, for good; a suspension their API keys too. A new e-mail address or password needs a fresh sign-in. Quotas are merged, `null` lifts one or all.
     *
     *     Needs the permission `users:write`.
     */
    patch: operations['patchUsersById']
    trace?: never
  }
  '/api/users/{id}/2fa': {
    parameters: {
      query?: never
      header?: never
      path?: never
      cookie?: never
    }
    get?: never
    put?: never
    post?: never
    /**
     * Takes away a user's second factor
     * @description For somebody who has lost it: their password alone then signs in. Of a holder of more permissions than the caller it is refused, and one turns off their own at `/api/auth/2fa/disable`. Needs a fresh sign-in.
     *
     *     For principals of kind user. Needs the permission `users:write`.
     */
    delete: operations['deleteUsersById2fa']
    options?: never
    head?: never
    patch?: never
    trace?: never
  }
  '/metrics': {
    parameters: {
      query?: never
      header?: never
      path?: never
      cookie?: never
    }
    /** Prometheus metrics */
    get: operations['getMetrics']
    put?: never
    post?: never
    delete?: never
    options?: never
    head?: never
    patch?: never
    trace?: never
  }
}
export type webhooks = Record<string, never>
export interface components {
  schemas: {
    Account: {
      email: string
      id: string
      memberships: {
        organisationId: string
        role: 'owner' | 'admin' | 'member'
      }[]
      name: string | null
      permissions: string[]
    }
    Allocation: {
      /** Format: date-time */
      createdAt: string
      /** Format: uuid */
      deviceId: string
      /** @description Where players go. */
      host: string
      id: number
      /** @description Where the agent brings them. */
      localHost: string
      localPort: number
      name: string | null
      options: components['schemas']['AllocationOptions']
      port: number
      protocol: 'tcp' | 'udp'
      relayId: string
      relayName: string
      relayOnline: boolean
      status: 'open' | 'closed' | 'failed' | 'pending' | 'offline'
      /** @description Why it is failed: the system's code at the relay, such as EADDRINUSE. It is tried again by itself. */
      statusError: string | null
      /** @description Why the agent last could not reach the target. */
      targetError: string | null
      traffic: {
        /** @description Payload bytes from players, for good. */
        bytesIn: number
        /** @description Payload bytes to players, for good. */
        bytesOut: number
        /** @description All there ever were (UDP: flows). */
        connections: number
        /** @description Of these, open now. */
        open: number
      }
    }
    AllocationOptions: {
      /** @description Addresses and CIDR ranges. An empty list restricts nothing. */
      allow?: string[]
      /** @description Bytes per second, each way, all players together. */
      bandwidth?: number
      /** @description New players per second (UDP: flows), one second's worth at once; others are refused at once. */
      connectionRate?: number
      /** @description Addresses and CIDR ranges. An empty list restricts nothing. */
      deny?: string[]
      /** @description Seconds without a byte either way. */
      idleTimeout?: number
      /** @description Players at once (UDP: flows). */
      maxConnections?: number
      /** @description Players at once from one address (IPv6: from one /64). */
      maxConnectionsPerSource?: number
      /** @description Header with the player's address before the first byte. v1 is for TCP only. */
      proxyProtocol?: 'none' | 'v1' | 'v2'
    }
    AllocationTraffic: {
      /** @description Payload bytes from players, for good. */
      bytesIn: number
      /** @description Over the last second or so. */
      bytesInPerSecond: number
      /** @description Payload bytes to players, for good. */
      bytesOut: number
      /** @description Over the last second or so. */
      bytesOutPerSecond: number
      /** @description All there ever were (UDP: flows). */
      connections: number
      /** @description Of the allocation. */
      id: number
      /** @description Of these, open now. */
      open: number
    }
    ApiKey: {
      allowedIps: string[]
      /** Format: date-time */
      createdAt: string
      expiresAt: string | null
      /** Format: uuid */
      id: string
      lastUsedAt: string | null
      name: string
      permissions: string[]
      prefix: string
      type: 'client' | 'admin'
      userId: string
    }
    AuditEntry: {
      action: string
      actor: {
        id: string
        kind: string
        name: string | null
      } | null
      /** Format: date-time */
      at: string
      data: unknown
      id: string
      ip: string | null
      requestId: string | null
      target: {
        id: string
        type: string
      } | null
    }
    Device: {
      approved: boolean
      /** Format: date-time */
      createdAt: string
      expiresAt: string | null
      /** Format: uuid */
      id: string
      kind: 'client' | 'server'
      lastSeenAt: string | null
      name: string
      online: boolean
      organisationId: string | null
      ownerId: string | null
      userCode: string
      version: string | null
    }
    Enrolment: {
      deviceCode: string
      /** Format: date-time */
      expiresAt: string
      /** @description Seconds between two polls. */
      interval: number
      userCode: string
      /** Format: uri */
      verificationUri: string
      /**
       * Format: uri
       * @description The same with the user code in it.
       */
      verificationUriComplete: string
    }
    LiveEvent:
      | {
          data: {
            items: components['schemas']['Device'][]
            removed: string[]
            reset: boolean
          }
          /** @constant */
          event: 'devices'
        }
      | {
          data: {
            items: components['schemas']['Allocation'][]
            removed: number[]
            reset: boolean
          }
          /** @constant */
          event: 'allocations'
        }
      | {
          data: {
            items: components['schemas']['Relay'][]
            removed: string[]
            reset: boolean
          }
          /** @constant */
          event: 'relays'
        }
      | {
          data: {
            items: components['schemas']['AllocationTraffic'][]
          }
          /** @constant */
          event: 'traffic'
        }
    Member: {
      email: string
      name: string | null
      role: 'owner' | 'admin' | 'member'
      /** Format: uuid */
      userId: string
    }
    Organisation: {
      /** Format: date-time */
      createdAt: string
      /** Format: uuid */
      id: string
      name: string
      quotas: {
        [key: string]: number
      } | null
      role?: 'owner' | 'admin' | 'member'
      /** Format: date-time */
      updatedAt: string
    }
    Passkey: {
      aaguid: string
      backedUp: boolean
      /** Format: date-time */
      createdAt: string
      credentialId: string
      deviceType: 'singleDevice' | 'multiDevice'
      /** Format: uuid */
      id: string
      lastUsedAt: string | null
      name: string
      transports: string[]
    }
    PasskeyCreationOptions: {
      /** @constant */
      attestation: 'none'
      authenticatorSelection: {
        requireResidentKey: boolean
        residentKey: 'required' | 'preferred' | 'discouraged'
        userVerification: 'required' | 'preferred' | 'discouraged'
      }
      challenge: string
      excludeCredentials: {
        id: string
        transports?: string[]
        /** @constant */
        type: 'public-key'
      }[]
      extensions?: {
        credProps?: boolean
      }
      hints?: ('hybrid' | 'security-key' | 'client-device')[]
      pubKeyCredParams: {
        alg: number
        /** @constant */
        type: 'public-key'
      }[]
      rp: {
        id: string
        name: string
      }
      /** @description Milliseconds */
      timeout: number
      user: {
        displayName: string
        id: string
        name: string
      }
    }
    PasskeyRequestOptions: {
      allowCredentials: {
        id: string
        transports?: string[]
        /** @constant */
        type: 'public-key'
      }[]
      challenge: string
      hints?: ('hybrid' | 'security-key' | 'client-device')[]
      rpId: string
      /** @description Milliseconds */
      timeout: number
      userVerification: 'required' | 'preferred' | 'discouraged'
    }
    Problem: {
      /** @description What happened, for people */
      detail: string
      /** @description What happened, for programs: a snake_case code */
      error: string
      /** @description The refused fields */
      errors?: {
        message: string
        /** @description RFC 6901 pointer to the field */
        path: string
      }[]
      /** @description Id under which the request is logged */
      requestId: string
      status: number
      /** @description The status in words */
      title: string
      /** @description URN of the kind of error */
      type: string
    }
    Relay: {
      capacity: number | null
      dataPort: number
      draining: boolean
      encryption: 'tls' | 'off'
      host: string
      hostGroup: string
      id: string
      kind: 'embedded' | 'standalone'
      labels: {
        [key: string]: string
      }
      /** Format: date-time */
      lastSeenAt: string
      load: {
        allocations: number
        connections: number
        devices: number
      }
      name: string
      online: boolean
      organisationId: string | null
      region: string | null
      version: string | null
    }
    Session: {
      /** Format: date-time */
      authenticatedAt: string
      /** Format: date-time */
      createdAt: string
      current: boolean
      /** Format: date-time */
      expiresAt: string
      /** Format: uuid */
      id: string
      ip: string
      /** Format: date-time */
      lastSeenAt: string
      methods: string[]
      userAgent: string | null
    }
    Settings: {
      features: {
        /** @default true */
        tunnels: boolean
      }
      quotas: {
        /** @default 50 */
        allocationsPerOrganisation: number
        /** @default 10 */
        allocationsPerUser: number
      }
    }
    TrafficSeries: {
      /**
       * Format: date-time
       * @description The first point's time.
       */
      from: string
      now: {
        /** @description Payload bytes from players, for good. */
        bytesIn: number
        /** @description Over the last second or so. */
        bytesInPerSecond: number
        /** @description Payload bytes to players, for good. */
        bytesOut: number
        /** @description Over the last second or so. */
        bytesOutPerSecond: number
        /** @description All there ever were (UDP: flows). */
        connections: number
        /** @description Of these, open now. */
        open: number
      }
      points: {
        /** Format: date-time */
        at: string
        bytesIn: number
        bytesOut: number
        connections: number
      }[]
      resolution: 'minute' | 'hour'
      /**
       * Format: date-time
       * @description End of the last point.
       */
      to: string
    }
    User: {
      /** Format: date-time */
      createdAt: string
      email: string
      /** Format: uuid */
      id: string
      name: string | null
      permissions: string[]
      quotas: {
        [key: string]: number
      } | null
      suspended: boolean
      /** Format: date-time */
      updatedAt: string
    }
  }
  responses: {
    /** @description Bad Request */
    400: {
      headers: {
        [name: string]: unknown
      }
      content: {
        'application/problem+json': components['schemas']['Problem']
      }
    }
    /** @description Unauthorized */
    401: {
      headers: {
        /** @description Schemes that are taken */
        'WWW-Authenticate'?: string
        [name: string]: unknown
      }
      content: {
        'application/problem+json': components['schemas']['Problem']
      }
    }
    /** @description Forbidden */
    403: {
      headers: {
        [name: string]: unknown
      }
      content: {
        'application/problem+json': components['schemas']['Problem']
      }
    }
    /** @description Not Found */
    404: {
      headers: {
        [name: string]: unknown
      }
      content: {
        'application/problem+json': components['schemas']['Problem']
      }
    }
    /** @description Payload Too Large */
    413: {
      headers: {
        [name: string]: unknown
      }
      content: {
        'application/problem+json': components['schemas']['Problem']
      }
    }
    /** @description Unsupported Media Type */
    415: {
      headers: {
        [name: string]: unknown
      }
      content: {
        'application/problem+json': components['schemas']['Problem']
      }
    }
    /** @description Too Many Requests */
    429: {
      headers: {
        /** @description Seconds until it is worth trying again */
        'Retry-After'?: number
        [name: string]: unknown
      }
      content: {
        'application/problem+json': components['schemas']['Problem']
      }
    }
    /** @description Service Unavailable */
    503: {
      headers: {
        /** @description Seconds until it is worth trying again */
        'Retry-After'?: number
        [name: string]: unknown
      }
      content: {
        'application/problem+json': components['schemas']['Problem']
      }
    }
    /** @description Any other error */
    default: {
      headers: {
        [name: string]: unknown
      }
      content: {
        'application/problem+json': components['schemas']['Problem']
      }
    }
  }
  parameters: never
  requestBodies: never
  headers: never
  pathItems: never
}
export type $defs = Record<string, never>
export interface operations {
  getApikeys: {
    parameters: {
      query?: {
        limit?: number
        offset?: number
      }
      header?: never
      path?: never
      cookie?: never
    }
    requestBody?: never
    responses: {
      /** @description Done */
      200: {
        headers: {
          [name: string]: unknown
        }
        content: {
          'application/json': {
            apiKeys: components['schemas']['ApiKey'][]
            total: number
          }
        }
      }
      400: components['responses']['400']
      401: components['responses']['401']
      403: components['responses']['403']
      503: components['responses']['503']
      default: components['responses']['default']
    }
  }
  postApikeys: {
    parameters: {
      query?: never
      header?: never
      path?: never
      cookie?: never
    }
    requestBody: {
      content: {
        'application/json': {
          /** @description Addresses and CIDR ranges that the key may be used from. An empty list restricts nothing. */
          allowedIps?: string[]
          /**
           * Format: date-time
           * @description In the future, and within 10 years.
           */
          expiresAt?: string
          name: string
          permissions?: string[]
          type: 'client' | 'admin'
          /** @description Its owner; default: the caller. */
          userId?: string
        }
      }
    }
    responses: {
      /** @description Done */
      201: {
        headers: {
          [name: string]: unknown
        }
        content: {
          'application/json': {
            /** @description The key. It is not shown again. */
            apiKey: string
            entry: components['schemas']['ApiKey']
            /** Format: uuid */
            id: string
            success: boolean
          }
        }
      }
      400: components['responses']['400']
      401: components['responses']['401']
      403: components['responses']['403']
      413: components['responses']['413']
      415: components['responses']['415']
      503: components['responses']['503']
      default: components['responses']['default']
    }
  }
  getApikeysById: {
    parameters: {
      query?: never
      header?: never
      path: {
        id: string
      }
      cookie?: never
    }
    requestBody?: never
    responses: {
      /** @description Done */
      200: {
        headers: {
          [name: string]: unknown
        }
        content: {
          'application/json': {
            entry: components['schemas']['ApiKey']
          }
        }
      }
      400: components['responses']['400']
      401: components['responses']['401']
      403: components['responses']['403']
      404: components['responses']['404']
      503: components['responses']['503']
      default: components['responses']['default']
    }
  }
  deleteApikeysById: {
    parameters: {
      query?: never
      header?: never
      path: {
        id: string
      }
      cookie?: never
    }
    requestBody?: never
    responses: {
      /** @description Done */
      200: {
        headers: {
          [name: string]: unknown
        }
        content: {
          'application/json': {
            success: boolean
          }
        }
      }
      400: components['responses']['400']
      401: components['responses']['401']
      403: components['responses']['403']
      404: components['responses']['404']
      503: components['responses']['503']
      default: components['responses']['default']
    }
  }
  patchApikeysById: {
    parameters: {
      query?: never
      header?: never
      path: {
        id: string
      }
      cookie?: never
    }
    requestBody: {
      content: {
        'application/json': {
          /** @description Addresses and CIDR ranges that the key may be used from. An empty list restricts nothing. */
          allowedIps?: string[]
          expiresAt?: string | null
          name?: string
          permissions?: string[]
        }
      }
    }
    responses: {
      /** @description Done */
      200: {
        headers: {
          [name: string]: unknown
        }
        content: {
          'application/json': {
            entry: components['schemas']['ApiKey']
            success: boolean
          }
        }
      }
      400: components['responses']['400']
      401: components['responses']['401']
      403: components['responses']['403']
      404: components['responses']['404']
      413: components['responses']['413']
      415: components['responses']['415']
      503: components['responses']['503']
      default: components['responses']['default']
    }
  }
  postApikeysByIdRotate: {
    parameters: {
      query?: never
      header?: never
      path: {
        id: string
      }
      cookie?: never
    }
    requestBody?: never
    responses: {
      /** @description Done */
      200: {
        headers: {
          [name: string]: unknown
        }
        content: {
          'application/json': {
            /** @description The key. It is not shown again. */
            apiKey: string
            entry: components['schemas']['ApiKey']
            /** Format: uuid */
            id: string
            success: boolean
          }
        }
      }
      400: components['responses']['400']
      401: components['responses']['401']
      403: components['responses']['403']
      404: components['responses']['404']
      503: components['responses']['503']
      default: components['responses']['default']
    }
  }
  getApikeysMy: {
    parameters: {
      query?: never
      header?: never
      path?: never
      cookie?: never
    }
    requestBody?: never
    responses: {
      /** @description Done */
      200: {
        headers: {
          [name: string]: unknown
        }
        content: {
          'application/json': {
            apiKeys: components['schemas']['ApiKey'][]
            total: number
          }
        }
      }
      400: components['responses']['400']
      401: components['responses']['401']
      403: components['responses']['403']
      503: components['responses']['503']
      default: components['responses']['default']
    }
  }
  getAudit: {
    parameters: {
      query?: {
        action?: string
        /** @description Id of who did it */
        actor?: string
        /** @description `next` of the answer before */
        before?: string
        limit?: number
        /** @description Id of what it was done to */
        target?: string
      }
      header?: never
      path?: never
      cookie?: never
    }
    requestBody?: never
    responses: {
      /** @description Done */
      200: {
        headers: {
          [name: string]: unknown
        }
        content: {
          'application/json': {
            entries: components['schemas']['AuditEntry'][]
            next: string | null
          }
        }
      }
      400: components['responses']['400']
      401: components['responses']['401']
      403: components['responses']['403']
      503: components['responses']['503']
      default: components['responses']['default']
    }
  }
  getAuth2fa: {
    parameters: {
      query?: never
      header?: never
      path?: never
      cookie?: never
    }
    requestBody?: never
    responses: {
      /** @description Done */
      200: {
        headers: {
          [name: string]: unknown
        }
        content: {
          'application/json': {
            enabled: boolean
            methods: string[]
            recoveryCodesLeft: number
          }
        }
      }
      400: components['responses']['400']
      401: components['responses']['401']
      403: components['responses']['403']
      503: components['responses']['503']
      default: components['responses']['default']
    }
  }
  postAuth2faDisable: {
    parameters: {
      query?: never
      header?: never
      path?: never
      cookie?: never
    }
    requestBody: {
      content: {
        'application/json': {
          backupCode?: string
          token?: string
        }
      }
    }
    responses: {
      /** @description Done */
      200: {
        headers: {
          [name: string]: unknown
        }
        content: {
          'application/json': {
            success: boolean
          }
        }
      }
      400: components['responses']['400']
      401: components['responses']['401']
      403: components['responses']['403']
      413: components['responses']['413']
      415: components['responses']['415']
      503: components['responses']['503']
      default: components['responses']['default']
    }
  }
  postAuth2faRecoveryCodes: {
    parameters: {
      query?: never
      header?: never
      path?: never
      cookie?: never
    }
    requestBody: {
      content: {
        'application/json': {
          token: string
        }
      }
    }
    responses: {
      /** @description Done */
      200: {
        headers: {
          [name: string]: unknown
        }
        content: {
          'application/json': {
            recoveryCodes: string[]
          }
        }
      }
      400: components['responses']['400']
      401: components['responses']['401']
      403: components['responses']['403']
      413: components['responses']['413']
      415: components['responses']['415']
      503: components['responses']['503']
      default: components['responses']['default']
    }
  }
  postAuth2faSendEmail: {
    parameters: {
      query?: never
      header?: never
      path?: never
      cookie?: never
    }
    requestBody: {
      content: {
        'application/json': {
          tempToken: string
        }
      }
    }
    responses: {
      /** @description Done */
      200: {
        headers: {
          [name: string]: unknown
        }
        content: {
          'application/json': {
            success: boolean
          }
        }
      }
      400: components['responses']['400']
      413: components['responses']['413']
      415: components['responses']['415']
      503: components['responses']['503']
      default: components['responses']['default']
    }
  }
  getAuth2faSetup: {
    parameters: {
      query?: never
      header?: never
      path?: never
      cookie?: never
    }
    requestBody?: never
    responses: {
      /** @description Done */
      200: {
        headers: {
          [name: string]: unknown
        }
        content: {
          'application/json': {
            /** @description The same for a QR code */
            otpauth_url: string
            /** @description Base32, 160 bits */
            secret: string
          }
        }
      }
      400: components['responses']['400']
      401: components['responses']['401']
      403: components['responses']['403']
      503: components['responses']['503']
      default: components['responses']['default']
    }
  }
  postAuth2faVerify: {
    parameters: {
      query?: never
      header?: never
      path?: never
      cookie?: never
    }
    requestBody: {
      content: {
        'application/json': {
          token: string
        }
      }
    }
    responses: {
      /** @description Done */
      200: {
        headers: {
          [name: string]: unknown
        }
        content: {
          'application/json': {
            recoveryCodes: string[]
          }
        }
      }
      400: components['responses']['400']
      401: components['responses']['401']
      403: components['responses']['403']
      413: components['responses']['413']
      415: components['responses']['415']
      503: components['responses']['503']
      default: components['responses']['default']
    }
  }
  postAuth2faVerifyLogin: {
    parameters: {
      query?: never
      header?: never
      path?: never
      cookie?: never
    }
    requestBody: {
      content: {
        'application/json': {
          backupCode?: string
          emailCode?: string
          tempToken: string
          token?: string
        }
      }
    }
    responses: {
      /** @description Done */
      200: {
        headers: {
          [name: string]: unknown
        }
        content: {
          'application/json': {
            token: string
            user: components['schemas']['Account']
          }
        }
      }
      400: components['responses']['400']
      413: components['responses']['413']
      415: components['responses']['415']
      503: components['responses']['503']
      default: components['responses']['default']
    }
  }
  postAuthLogin: {
    parameters: {
      query?: never
      header?: never
      path?: never
      cookie?: never
    }
    requestBody: {
      content: {
        'application/json': {
          email: string
          password: string
        }
      }
    }
    responses: {
      /** @description Done */
      200: {
        headers: {
          [name: string]: unknown
        }
        content: {
          'application/json':
            | {
                token: string
                user: components['schemas']['Account']
              }
            | {
                methods: string[]
                tempToken: string
                /** @constant */
                twoFactorRequired: true
              }
        }
      }
      400: components['responses']['400']
      413: components['responses']['413']
      415: components['responses']['415']
      503: components['responses']['503']
      default: components['responses']['default']
    }
  }
  postAuthLogout: {
    parameters: {
      query?: never
      header?: never
      path?: never
      cookie?: never
    }
    requestBody?: never
    responses: {
      /** @description Done */
      200: {
        headers: {
          [name: string]: unknown
        }
        content: {
          'application/json': {
            success: boolean
          }
        }
      }
      400: components['responses']['400']
      401: components['responses']['401']
      403: components['responses']['403']
      503: components['responses']['503']
      default: components['responses']['default']
    }
  }
  postAuthPasskeyAuthenticate: {
    parameters: {
      query?: never
      header?: never
      path?: never
      cookie?: never
    }
    requestBody: {
      content: {
        'application/json': {
          response: {
            authenticatorAttachment?: string
            clientExtensionResults: {
              [key: string]: unknown
            }
            id: string
            rawId: string
            response: {
              authenticatorData: string
              clientDataJSON: string
              signature: string
              userHandle?: string
            }
            /** @constant */
            type: 'public-key'
          }
        }
      }
    }
    responses: {
      /** @description Done */
      200: {
        headers: {
          [name: string]: unknown
        }
        content: {
          'application/json': {
            token: string
            user: components['schemas']['Account']
          }
        }
      }
      400: components['responses']['400']
      413: components['responses']['413']
      415: components['responses']['415']
      503: components['responses']['503']
      default: components['responses']['default']
    }
  }
  getAuthPasskeyAuthenticateChallenge: {
    parameters: {
      query?: {
        email?: string
      }
      header?: never
      path?: never
      cookie?: never
    }
    requestBody?: never
    responses: {
      /** @description Done */
      200: {
        headers: {
          [name: string]: unknown
        }
        content: {
          'application/json': components['schemas']['PasskeyRequestOptions']
        }
      }
      400: components['responses']['400']
      429: components['responses']['429']
      503: components['responses']['503']
      default: components['responses']['default']
    }
  }
  postAuthPasskeyAuthenticateChallenge: {
    parameters: {
      query?: never
      header?: never
      path?: never
      cookie?: never
    }
    requestBody?: {
      content: {
        'application/json': {
          email?: string
        }
      }
    }
    responses: {
      /** @description Done */
      200: {
        headers: {
          [name: string]: unknown
        }
        content: {
          'application/json': components['schemas']['PasskeyRequestOptions']
        }
      }
      400: components['responses']['400']
      413: components['responses']['413']
      415: components['responses']['415']
      429: components['responses']['429']
      503: components['responses']['503']
      default: components['responses']['default']
    }
  }
  postAuthPasskeyRegister: {
    parameters: {
      query?: never
      header?: never
      path?: never
      cookie?: never
    }
    requestBody: {
      content: {
        'application/json': {
          name?: string
          response: {
            authenticatorAttachment?: string
            clientExtensionResults: {
              [key: string]: unknown
            }
            id: string
            rawId: string
            response: {
              attestationObject: string
              authenticatorData?: string
              clientDataJSON: string
              publicKey?: string
              publicKeyAlgorithm?: number
              transports?: string[]
            }
            /** @constant */
            type: 'public-key'
          }
        }
      }
    }
    responses: {
      /** @description Done */
      200: {
        headers: {
          [name: string]: unknown
        }
        content: {
          'application/json': {
            passkey: components['schemas']['Passkey']
            /** @constant */
            verified: true
          }
        }
      }
      400: components['responses']['400']
      401: components['responses']['401']
      403: components['responses']['403']
      413: components['responses']['413']
      415: components['responses']['415']
      503: components['responses']['503']
      default: components['responses']['default']
    }
  }
  getAuthPasskeyRegisterChallenge: {
    parameters: {
      query?: never
      header?: never
      path?: never
      cookie?: never
    }
    requestBody?: never
    responses: {
      /** @description Done */
      200: {
        headers: {
          [name: string]: unknown
        }
        content: {
          'application/json': components['schemas']['PasskeyCreationOptions']
        }
      }
      400: components['responses']['400']
      401: components['responses']['401']
      403: components['responses']['403']
      503: components['responses']['503']
      default: components['responses']['default']
    }
  }
  postAuthPasskeyRegisterChallenge: {
    parameters: {
      query?: never
      header?: never
      path?: never
      cookie?: never
    }
    requestBody?: {
      content: {
        'application/json': Record<string, never>
      }
    }
    responses: {
      /** @description Done */
      200: {
        headers: {
          [name: string]: unknown
        }
        content: {
          'application/json': components['schemas']['PasskeyCreationOptions']
        }
      }
      400: components['responses']['400']
      401: components['responses']['401']
      403: components['responses']['403']
      413: components['responses']['413']
      415: components['responses']['415']
      503: components['responses']['503']
      default: components['responses']['default']
    }
  }
  getAuthPasskeys: {
    parameters: {
      query?: never
      header?: never
      path?: never
      cookie?: never
    }
    requestBody?: never
    responses: {
      /** @description Done */
      200: {
        headers: {
          [name: string]: unknown
        }
        content: {
          'application/json': {
            passkeys: components['schemas']['Passkey'][]
          }
        }
      }
      400: components['responses']['400']
      401: components['responses']['401']
      403: components['responses']['403']
      503: components['responses']['503']
      default: components['responses']['default']
    }
  }
  deleteAuthPasskeysById: {
    parameters: {
      query?: never
      header?: never
      path: {
        id: string
      }
      cookie?: never
    }
    requestBody?: never
    responses: {
      /** @description Done */
      200: {
        headers: {
          [name: string]: unknown
        }
        content: {
          'application/json': {
            success: boolean
          }
        }
      }
      400: components['responses']['400']
      401: components['responses']['401']
      403: components['responses']['403']
      404: components['responses']['404']
      503: components['responses']['503']
      default: components['responses']['default']
    }
  }
  patchAuthPasskeysById: {
    parameters: {
      query?: never
      header?: never
      path: {
        id: string
      }
      cookie?: never
    }
    requestBody: {
      content: {
        'application/json': {
          name: string
        }
      }
    }
    responses: {
      /** @description Done */
      200: {
        headers: {
          [name: string]: unknown
        }
        content: {
          'application/json': {
            passkey: components['schemas']['Passkey']
          }
        }
      }
      400: components['responses']['400']
      401: components['responses']['401']
      403: components['responses']['403']
      404: components['responses']['404']
      413: components['responses']['413']
      415: components['responses']['415']
      503: components['responses']['503']
      default: components['responses']['default']
    }
  }
  postAuthPassword: {
    parameters: {
      query?: never
      header?: never
      path?: never
      cookie?: never
    }
    requestBody: {
      content: {
        'application/json': {
          currentPassword: string
          newPassword: string
        }
      }
    }
    responses: {
      /** @description Done */
      200: {
        headers: {
          [name: string]: unknown
        }
        content: {
          'application/json': {
            success: boolean
          }
        }
      }
      400: components['responses']['400']
      401: components['responses']['401']
      403: components['responses']['403']
      413: components['responses']['413']
      415: components['responses']['415']
      503: components['responses']['503']
      default: components['responses']['default']
    }
  }
  postAuthPasswordResetConfirm: {
    parameters: {
      query?: never
      header?: never
      path?: never
      cookie?: never
    }
    requestBody: {
      content: {
        'application/json': {
          password: string
          token: string
        }
      }
    }
    responses: {
      /** @description Done */
      200: {
        headers: {
          [name: string]: unknown
        }
        content: {
          'application/json': {
            success: boolean
          }
        }
      }
      400: components['responses']['400']
      413: components['responses']['413']
      415: components['responses']['415']
      429: components['responses']['429']
      503: components['responses']['503']
      default: components['responses']['default']
    }
  }
  postAuthPasswordResetRequest: {
    parameters: {
      query?: never
      header?: never
      path?: never
      cookie?: never
    }
    requestBody: {
      content: {
        'application/json': {
          email: string
        }
      }
    }
    responses: {
      /** @description Done */
      200: {
        headers: {
          [name: string]: unknown
        }
        content: {
          'application/json': {
            success: boolean
          }
        }
      }
      400: components['responses']['400']
      413: components['responses']['413']
      415: components['responses']['415']
      503: components['responses']['503']
      default: components['responses']['default']
    }
  }
  postAuthReauthenticate: {
    parameters: {
      query?: never
      header?: never
      path?: never
      cookie?: never
    }
    requestBody: {
      content: {
        'application/json': {
          password?: string
          response?: {
            [key: string]: unknown
          }
          token?: string
        }
      }
    }
    responses: {
      /** @description Done */
      200: {
        headers: {
          [name: string]: unknown
        }
        content: {
          'application/json': {
            success: boolean
          }
        }
      }
      400: components['responses']['400']
      401: components['responses']['401']
      403: components['responses']['403']
      413: components['responses']['413']
      415: components['responses']['415']
      503: components['responses']['503']
      default: components['responses']['default']
    }
  }
  getAuthSession: {
    parameters: {
      query?: never
      header?: never
      path?: never
      cookie?: never
    }
    requestBody?: never
    responses: {
      /** @description Done */
      200: {
        headers: {
          [name: string]: unknown
        }
        content: {
          'application/json': {
            authentication: {
              id: string
              kind: 'user' | 'apiKey' | 'device'
              permissions: string[]
              strategy: string
            }
            session: components['schemas']['Session'] | null
            user: components['schemas']['Account'] | null
          }
        }
      }
      400: components['responses']['400']
      401: components['responses']['401']
      403: components['responses']['403']
      503: components['responses']['503']
      default: components['responses']['default']
    }
  }
  getAuthSessions: {
    parameters: {
      query?: never
      header?: never
      path?: never
      cookie?: never
    }
    requestBody?: never
    responses: {
      /** @description Done */
      200: {
        headers: {
          [name: string]: unknown
        }
        content: {
          'application/json': {
            sessions: components['schemas']['Session'][]
          }
        }
      }
      400: components['responses']['400']
      401: components['responses']['401']
      403: components['responses']['403']
      503: components['responses']['503']
      default: components['responses']['default']
    }
  }
  deleteAuthSessions: {
    parameters: {
      query?: never
      header?: never
      path?: never
      cookie?: never
    }
    requestBody?: never
    responses: {
      /** @description Done */
      200: {
        headers: {
          [name: string]: unknown
        }
        content: {
          'application/json': {
            revoked: number
            success: boolean
          }
        }
      }
      400: components['responses']['400']
      401: components['responses']['401']
      403: components['responses']['403']
      503: components['responses']['503']
      default: components['responses']['default']
    }
  }
  deleteAuthSessionsById: {
    parameters: {
      query?: never
      header?: never
      path: {
        id: string
      }
      cookie?: never
    }
    requestBody?: never
    responses: {
      /** @description Done */
      200: {
        headers: {
          [name: string]: unknown
        }
        content: {
          'application/json': {
            success: boolean
          }
        }
      }
      400: components['responses']['400']
      401: components['responses']['401']
      403: components['responses']['403']
      404: components['responses']['404']
      503: components['responses']['503']
      default: components['responses']['default']
    }
  }
  getDocs: {
    parameters: {
      query?: never
      header?: never
      path?: never
      cookie?: never
    }
    requestBody?: never
    responses: {
      /** @description Done */
      200: {
        headers: {
          [name: string]: unknown
        }
        content: {
          'text/html': string
        }
      }
      503: components['responses']['503']
      default: components['responses']['default']
    }
  }
  getHealthLive: {
    parameters: {
      query?: never
      header?: never
      path?: never
      cookie?: never
    }
    requestBody?: never
    responses: {
      /** @description Done */
      200: {
        headers: {
          [name: string]: unknown
        }
        content: {
          'application/json': {
            /** @constant */
            status: 'ok'
          }
        }
      }
      503: components['responses']['503']
      default: components['responses']['default']
    }
  }
  getHealthReady: {
    parameters: {
      query?: never
      header?: never
      path?: never
      cookie?: never
    }
    requestBody?: never
    responses: {
      /** @description Done */
      200: {
        headers: {
          [name: string]: unknown
        }
        content: {
          'application/json': {
            checks: {
              [key: string]: string
            }
            status: string
          }
        }
      }
      /** @description Not possible now */
      503: {
        headers: {
          [name: string]: unknown
        }
        content: {
          'application/json': {
            checks: {
              [key: string]: string
            }
            status: string
          }
        }
      }
      default: components['responses']['default']
    }
  }
  getOpenapiJson: {
    parameters: {
      query?: never
      header?: never
      path?: never
      cookie?: never
    }
    requestBody?: never
    responses: {
      /** @description Done */
      200: {
        headers: {
          [name: string]: unknown
        }
        content?: never
      }
      503: components['responses']['503']
      default: components['responses']['default']
    }
  }
  getOrganisations: {
    parameters: {
      query?: {
        limit?: number
        offset?: number
      }
      header?: never
      path?: never
      cookie?: never
    }
    requestBody?: never
    responses: {
      /** @description Done */
      200: {
        headers: {
          [name: string]: unknown
        }
        content: {
          'application/json': {
            organisations: components['schemas']['Organisation'][]
            total: number
          }
        }
      }
      400: components['responses']['400']
      401: components['responses']['401']
      403: components['responses']['403']
      503: components['responses']['503']
      default: components['responses']['default']
    }
  }
  postOrganisations: {
    parameters: {
      query?: never
      header?: never
      path?: never
      cookie?: never
    }
    requestBody: {
      content: {
        'application/json': {
          name: string
        }
      }
    }
    responses: {
      /** @description Done */
      201: {
        headers: {
          [name: string]: unknown
        }
        content: {
          'application/json': {
            organisation: components['schemas']['Organisation']
          }
        }
      }
      400: components['responses']['400']
      401: components['responses']['401']
      403: components['responses']['403']
      413: components['responses']['413']
      415: components['responses']['415']
      503: components['responses']['503']
      default: components['responses']['default']
    }
  }
  getOrganisationsById: {
    parameters: {
      query?: never
      header?: never
      path: {
        id: string
      }
      cookie?: never
    }
    requestBody?: never
    responses: {
      /** @description Done */
      200: {
        headers: {
          [name: string]: unknown
        }
        content: {
          'application/json': {
            members: components['schemas']['Member'][]
            organisation: components['schemas']['Organisation']
          }
        }
      }
      400: components['responses']['400']
      401: components['responses']['401']
      403: components['responses']['403']
      404: components['responses']['404']
      503: components['responses']['503']
      default: components['responses']['default']
    }
  }
  deleteOrganisationsById: {
    parameters: {
      query?: never
      header?: never
      path: {
        id: string
      }
      cookie?: never
    }
    requestBody?: never
    responses: {
      /** @description Done */
      200: {
        headers: {
          [name: string]: unknown
        }
        content: {
          'application/json': {
            success: boolean
          }
        }
      }
      400: components['responses']['400']
      401: components['responses']['401']
      403: components['responses']['403']
      404: components['responses']['404']
      503: components['responses']['503']
      default: components['responses']['default']
    }
  }
  patchOrganisationsById: {
    parameters: {
      query?: never
      header?: never
      path: {
        id: string
      }
      cookie?: never
    }
    requestBody: {
      content: {
        'application/json': {
          name?: string
          quotas?: {
            [key: string]: number | null
          } | null
        }
      }
    }
    responses: {
      /** @description Done */
      200: {
        headers: {
          [name: string]: unknown
        }
        content: {
          'application/json': {
            organisation: components['schemas']['Organisation']
          }
        }
      }
      400: components['responses']['400']
      401: components['responses']['401']
      403: components['responses']['403']
      404: components['responses']['404']
      413: components['responses']['413']
      415: components['responses']['415']
      503: components['responses']['503']
      default: components['responses']['default']
    }
  }
  putOrganisationsByIdMembersByUserId: {
    parameters: {
      query?: never
      header?: never
      path: {
        id: string
        userId: string
      }
      cookie?: never
    }
    requestBody: {
      content: {
        'application/json': {
          role: 'owner' | 'admin' | 'member'
        }
      }
    }
    responses: {
      /** @description Done */
      200: {
        headers: {
          [name: string]: unknown
        }
        content: {
          'application/json': {
            member: components['schemas']['Member']
          }
        }
      }
      400: components['responses']['400']
      401: components['responses']['401']
      403: components['responses']['403']
      404: components['responses']['404']
      413: components['responses']['413']
      415: components['responses']['415']
      503: components['responses']['503']
      default: components['responses']['default']
    }
  }
  deleteOrganisationsByIdMembersByUserId: {
    parameters: {
      query?: never
      header?: never
      path: {
        id: string
        userId: string
      }
      cookie?: never
    }
    requestBody?: never
    responses: {
      /** @description Done */
      200: {
        headers: {
          [name: string]: unknown
        }
        content: {
          'application/json': {
            success: boolean
          }
        }
      }
      400: components['responses']['400']
      401: components['responses']['401']
      403: components['responses']['403']
      404: components['responses']['404']
      503: components['responses']['503']
      default: components['responses']['default']
    }
  }
  getSettings: {
    parameters: {
      query?: never
      header?: never
      path?: never
      cookie?: never
    }
    requestBody?: never
    responses: {
      /** @description Done */
      200: {
        headers: {
          [name: string]: unknown
        }
        content: {
          'application/json': components['schemas']['Settings']
        }
      }
      400: components['responses']['400']
      401: components['responses']['401']
      403: components['responses']['403']
      503: components['responses']['503']
      default: components['responses']['default']
    }
  }
  patchSettings: {
    parameters: {
      query?: never
      header?: never
      path?: never
      cookie?: never
    }
    requestBody: {
      content: {
        'application/json': {
          [key: string]: {
            [key: string]: unknown
          } | null
        }
      }
    }
    responses: {
      /** @description Done */
      200: {
        headers: {
          [name: string]: unknown
        }
        content: {
          'application/json': components['schemas']['Settings']
        }
      }
      400: components['responses']['400']
      401: components['responses']['401']
      403: components['responses']['403']
      413: components['responses']['413']
      415: components['responses']['415']
      503: components['responses']['503']
      default: components['responses']['default']
    }
  }
  getTunnelAllocations: {
    parameters: {
      query?: never
      header?: never
      path?: never
      cookie?: never
    }
    requestBody?: never
    responses: {
      /** @description Done */
      200: {
        headers: {
          [name: string]: unknown
        }
        content: {
          'application/json': {
            allocations: components['schemas']['Allocation'][]
          }
        }
      }
      400: components['responses']['400']
      401: components['responses']['401']
      403: components['responses']['403']
      503: components['responses']['503']
      default: components['responses']['default']
    }
  }
  postTunnelAllocations: {
    parameters: {
      query?: never
      header?: never
      path?: never
      cookie?: never
    }
    requestBody: {
      content: {
        'application/json': {
          deviceId?: string
          localHost?: string
          localPort: number
          name?: string
          options?: {
            /** @description Addresses and CIDR ranges. An empty list restricts nothing. */
            allow?: string[]
            /** @description Bytes per second, each way, all players together. */
            bandwidth?: number
            /** @description New players per second (UDP: flows), one second's worth at once; others are refused at once. */
            connectionRate?: number
            /** @description Addresses and CIDR ranges. An empty list restricts nothing. */
            deny?: string[]
            /** @description Seconds without a byte either way. */
            idleTimeout?: number
            /** @description Players at once (UDP: flows). */
            maxConnections?: number
            /** @description Players at once from one address (IPv6: from one /64). */
            maxConnectionsPerSource?: number
            /** @description Header with the player's address before the first byte. v1 is for TCP only. */
            proxyProtocol?: 'none' | 'v1' | 'v2'
          }
          port?: number
          protocol: 'tcp' | 'udp' | 'both'
          region?: string
        }
      }
    }
    responses: {
      /** @description Done */
      201: {
        headers: {
          [name: string]: unknown
        }
        content: {
          'application/json':
            | {
                allocation: components['schemas']['Allocation']
              }
            | {
                allocations: components['schemas']['Allocation'][]
              }
        }
      }
      400: components['responses']['400']
      401: components['responses']['401']
      403: components['responses']['403']
      413: components['responses']['413']
      415: components['responses']['415']
      503: components['responses']['503']
      default: components['responses']['default']
    }
  }
  deleteTunnelAllocationsById: {
    parameters: {
      query?: never
      header?: never
      path: {
        id: string
      }
      cookie?: never
    }
    requestBody?: never
    responses: {
      /** @description Done */
      200: {
        headers: {
          [name: string]: unknown
        }
        content: {
          'application/json': {
            /** @constant */
            success: true
          }
        }
      }
      400: components['responses']['400']
      401: components['responses']['401']
      403: components['responses']['403']
      404: components['responses']['404']
      503: components['responses']['503']
      default: components['responses']['default']
    }
  }
  patchTunnelAllocationsById: {
    parameters: {
      query?: never
      header?: never
      path: {
        id: string
      }
      cookie?: never
    }
    requestBody: {
      content: {
        'application/json': {
          localHost?: string
          localPort?: number
          name?: string | null
          options?: {
            allow?: string[] | null
            bandwidth?: number | null
            connectionRate?: number | null
            deny?: string[] | null
            idleTimeout?: number | null
            maxConnections?: number | null
            maxConnectionsPerSource?: number | null
            proxyProtocol?: ('none' | 'v1' | 'v2') | null
          } | null
        }
      }
    }
    responses: {
      /** @description Done */
      200: {
        headers: {
          [name: string]: unknown
        }
        content: {
          'application/json': {
            allocation: components['schemas']['Allocation']
          }
        }
      }
      400: components['responses']['400']
      401: components['responses']['401']
      403: components['responses']['403']
      404: components['responses']['404']
      413: components['responses']['413']
      415: components['responses']['415']
      503: components['responses']['503']
      default: components['responses']['default']
    }
  }
  postTunnelAllocationsByIdClose: {
    parameters: {
      query?: never
      header?: never
      path: {
        id: string
      }
      cookie?: never
    }
    requestBody?: never
    responses: {
      /** @description Done */
      200: {
        headers: {
          [name: string]: unknown
        }
        content: {
          'application/json': {
            allocation: components['schemas']['Allocation']
            /** @constant */
            success: true
          }
        }
      }
      400: components['responses']['400']
      401: components['responses']['401']
      403: components['responses']['403']
      404: components['responses']['404']
      503: components['responses']['503']
      default: components['responses']['default']
    }
  }
  postTunnelAllocationsByIdOpen: {
    parameters: {
      query?: never
      header?: never
      path: {
        id: string
      }
      cookie?: never
    }
    requestBody?: never
    responses: {
      /** @description Done */
      200: {
        headers: {
          [name: string]: unknown
        }
        content: {
          'application/json': {
            allocation: components['schemas']['Allocation']
            /** @constant */
            success: true
          }
        }
      }
      400: components['responses']['400']
      401: components['responses']['401']
      403: components['responses']['403']
      404: components['responses']['404']
      503: components['responses']['503']
      default: components['responses']['default']
    }
  }
  getTunnelAllocationsByIdTraffic: {
    parameters: {
      query?: {
        from?: string
        resolution?: 'minute' | 'hour'
        to?: string
      }
      header?: never
      path: {
        id: string
      }
      cookie?: never
    }
    requestBody?: never
    responses: {
      /** @description Done */
      200: {
        headers: {
          [name: string]: unknown
        }
        content: {
          'application/json': components['schemas']['TrafficSeries']
        }
      }
      400: components['responses']['400']
      401: components['responses']['401']
      403: components['responses']['403']
      404: components['responses']['404']
      503: components['responses']['503']
      default: components['responses']['default']
    }
  }
  postTunnelDeviceApprove: {
    parameters: {
      query?: never
      header?: never
      path?: never
      cookie?: never
    }
    requestBody: {
      content: {
        'application/json': {
          name?: string
          organisationId?: string | number
          ownerId?: string | number
          userCode: string
        }
      }
    }
    responses: {
      /** @description Done */
      200: {
        headers: {
          [name: string]: unknown
        }
        content: {
          'application/json': {
            device: components['schemas']['Device']
            /** @constant */
            success: true
          }
        }
      }
      400: components['responses']['400']
      401: components['responses']['401']
      403: components['responses']['403']
      413: components['responses']['413']
      415: components['responses']['415']
      503: components['responses']['503']
      default: components['responses']['default']
    }
  }
  postTunnelDeviceDeny: {
    parameters: {
      query?: never
      header?: never
      path?: never
      cookie?: never
    }
    requestBody: {
      content: {
        'application/json': {
          userCode: string
        }
      }
    }
    responses: {
      /** @description Done */
      200: {
        headers: {
          [name: string]: unknown
        }
        content: {
          'application/json': {
            /** @constant */
            success: true
          }
        }
      }
      400: components['responses']['400']
      401: components['responses']['401']
      403: components['responses']['403']
      413: components['responses']['413']
      415: components['responses']['415']
      503: components['responses']['503']
      default: components['responses']['default']
    }
  }
  getTunnelDevicePoll: {
    parameters: {
      query: {
        deviceCode: string
      }
      header?: never
      path?: never
      cookie?: never
    }
    requestBody?: never
    responses: {
      /** @description Done */
      200: {
        headers: {
          [name: string]: unknown
        }
        content: {
          'application/json':
            | {
                /** @constant */
                approved: false
                interval: number
              }
            | {
                /** @constant */
                approved: true
                /** Format: uuid */
                deviceId: string
                name: string
                token: string
              }
        }
      }
      400: components['responses']['400']
      429: components['responses']['429']
      503: components['responses']['503']
      default: components['responses']['default']
    }
  }
  postTunnelDeviceStart: {
    parameters: {
      query?: never
      header?: never
      path?: never
      cookie?: never
    }
    requestBody: {
      content: {
        'application/json': {
          kind?: 'client' | 'server'
          name: string
          organisationId?: string | number
        }
      }
    }
    responses: {
      /** @description Done */
      200: {
        headers: {
          [name: string]: unknown
        }
        content: {
          'application/json': components['schemas']['Enrolment']
        }
      }
      400: components['responses']['400']
      401: components['responses']['401']
      413: components['responses']['413']
      415: components['responses']['415']
      503: components['responses']['503']
      default: components['responses']['default']
    }
  }
  getTunnelDevices: {
    parameters: {
      query?: never
      header?: never
      path?: never
      cookie?: never
    }
    requestBody?: never
    responses: {
      /** @description Done */
      200: {
        headers: {
          [name: string]: unknown
        }
        content: {
          'application/json': {
            devices: components['schemas']['Device'][]
          }
        }
      }
      400: components['responses']['400']
      401: components['responses']['401']
      403: components['responses']['403']
      503: components['responses']['503']
      default: components['responses']['default']
    }
  }
  deleteTunnelDevicesById: {
    parameters: {
      query?: never
      header?: never
      path: {
        id: string
      }
      cookie?: never
    }
    requestBody?: never
    responses: {
      /** @description Done */
      200: {
        headers: {
          [name: string]: unknown
        }
        content: {
          'application/json': {
            /** @constant */
            success: true
          }
        }
      }
      400: components['responses']['400']
      401: components['responses']['401']
      403: components['responses']['403']
      404: components['responses']['404']
      503: components['responses']['503']
      default: components['responses']['default']
    }
  }
  patchTunnelDevicesById: {
    parameters: {
      query?: never
      header?: never
      path: {
        id: string
      }
      cookie?: never
    }
    requestBody: {
      content: {
        'application/json': {
          name: string
        }
      }
    }
    responses: {
      /** @description Done */
      200: {
        headers: {
          [name: string]: unknown
        }
        content: {
          'application/json': {
            device: components['schemas']['Device']
            /** @constant */
            success: true
          }
        }
      }
      400: components['responses']['400']
      401: components['responses']['401']
      403: components['responses']['403']
      404: components['responses']['404']
      413: components['responses']['413']
      415: components['responses']['415']
      503: components['responses']['503']
      default: components['responses']['default']
    }
  }
  deleteTunnelDevicesByIdDelete: {
    parameters: {
      query?: never
      header?: never
      path: {
        id: string
      }
      cookie?: never
    }
    requestBody?: never
    responses: {
      /** @description Done */
      200: {
        headers: {
          [name: string]: unknown
        }
        content: {
          'application/json': {
            /** @constant */
            success: true
          }
        }
      }
      400: components['responses']['400']
      401: components['responses']['401']
      403: components['responses']['403']
      404: components['responses']['404']
      503: components['responses']['503']
      default: components['responses']['default']
    }
  }
  postTunnelDevicesByIdRegenerateToken: {
    parameters: {
      query?: never
      header?: never
      path: {
        id: string
      }
      cookie?: never
    }
    requestBody?: never
    responses: {
      /** @description Done */
      200: {
        headers: {
          [name: string]: unknown
        }
        content: {
          'application/json': {
            /** @constant */
            success: true
            token: string
          }
        }
      }
      400: components['responses']['400']
      401: components['responses']['401']
      403: components['responses']['403']
      404: components['responses']['404']
      503: components['responses']['503']
      default: components['responses']['default']
    }
  }
  getTunnelEvents: {
    parameters: {
      query?: never
      header?: never
      path?: never
      cookie?: never
    }
    requestBody?: never
    responses: {
      /** @description Done */
      200: {
        headers: {
          [name: string]: unknown
        }
        content: {
          'text/event-stream': components['schemas']['LiveEvent']
        }
      }
      400: components['responses']['400']
      401: components['responses']['401']
      403: components['responses']['403']
      503: components['responses']['503']
      default: components['responses']['default']
    }
  }
  getTunnelRelays: {
    parameters: {
      query?: never
      header?: never
      path?: never
      cookie?: never
    }
    requestBody?: never
    responses: {
      /** @description Done */
      200: {
        headers: {
          [name: string]: unknown
        }
        content: {
          'application/json': {
            relays: components['schemas']['Relay'][]
          }
        }
      }
      400: components['responses']['400']
      401: components['responses']['401']
      403: components['responses']['403']
      503: components['responses']['503']
      default: components['responses']['default']
    }
  }
  getUsers: {
    parameters: {
      query?: {
        limit?: number
        offset?: number
      }
      header?: never
      path?: never
      cookie?: never
    }
    requestBody?: never
    responses: {
      /** @description Done */
      200: {
        headers: {
          [name: string]: unknown
        }
        content: {
          'application/json': {
            total: number
            users: components['schemas']['User'][]
          }
        }
      }
      400: components['responses']['400']
      401: components['responses']['401']
      403: components['responses']['403']
      503: components['responses']['503']
      default: components['responses']['default']
    }
  }
  postUsers: {
    parameters: {
      query?: never
      header?: never
      path?: never
      cookie?: never
    }
    requestBody: {
      content: {
        'application/json': {
          email: string
          name?: string | null
          password: string
          permissions?: string[]
        }
      }
    }
    responses: {
      /** @description Done */
      201: {
        headers: {
          [name: string]: unknown
        }
        content: {
          'application/json': {
            user: components['schemas']['User']
          }
        }
      }
      400: components['responses']['400']
      401: components['responses']['401']
      403: components['responses']['403']
      413: components['responses']['413']
      415: components['responses']['415']
      503: components['responses']['503']
      default: components['responses']['default']
    }
  }
  getUsersById: {
    parameters: {
      query?: never
      header?: never
      path: {
        id: string
      }
      cookie?: never
    }
    requestBody?: never
    responses: {
      /** @description Done */
      200: {
        headers: {
          [name: string]: unknown
        }
        content: {
          'application/json': {
            user: components['schemas']['User']
          }
        }
      }
      400: components['responses']['400']
      401: components['responses']['401']
      403: components['responses']['403']
      404: components['responses']['404']
      503: components['responses']['503']
      default: components['responses']['default']
    }
  }
  deleteUsersById: {
    parameters: {
      query?: never
      header?: never
      path: {
        id: string
      }
      cookie?: never
    }
    requestBody?: never
    responses: {
      /** @description Done */
      200: {
        headers: {
          [name: string]: unknown
        }
        content: {
          'application/json': {
            success: boolean
          }
        }
      }
      400: components['responses']['400']
      401: components['responses']['401']
      403: components['responses']['403']
      404: components['responses']['404']
      503: components['responses']['503']
      default: components['responses']['default']
    }
  }
  patchUsersById: {
    parameters: {
      query?: never
      header?: never
      path: {
        id: string
      }
      cookie?: never
    }
    requestBody: {
      content: {
        'application/json': {
          email?: string
          name?: string | null
          password?: string
          permissions?: string[]
          quotas?: {
            [key: string]: number | null
          } | null
          suspended?: boolean
        }
      }
    }
    responses: {
      /** @description Done */
      200: {
        headers: {
          [name: string]: unknown
        }
        content: {
          'application/json': {
            user: components['schemas']['User']
          }
        }
      }
      400: components['responses']['400']
      401: components['responses']['401']
      403: components['responses']['403']
      404: components['responses']['404']
      413: components['responses']['413']
      415: components['responses']['415']
      503: components['responses']['503']
      default: components['responses']['default']
    }
  }
  deleteUsersById2fa: {
    parameters: {
      query?: never
      header?: never
      path: {
        id: string
      }
      cookie?: never
    }
    requestBody?: never
    responses: {
      /** @description Done */
      200: {
        headers: {
          [name: string]: unknown
        }
        content: {
          'application/json': {
            success: boolean
          }
        }
      }
      400: components['responses']['400']
      401: components['responses']['401']
      403: components['responses']['403']
      404: components['responses']['404']
      503: components['responses']['503']
      default: components['responses']['default']
    }
  }
  getMetrics: {
    parameters: {
      query?: never
      header?: never
      path?: never
      cookie?: never
    }
    requestBody?: never
    responses: {
      /** @description Done */
      200: {
        headers: {
          [name: string]: unknown
        }
        content: {
          'text/plain': string
        }
      }
      503: components['responses']['503']
      default: components['responses']['default']
    }
  }
}

/** Approves and denies enrolments, and enrols devices of kind `server`. */
export const approvePermission = 'tunnels:approve'
/** Sees everyone's devices and allocations. For an API key: sees devices and allocations at all. */
export const readPermission = 'tunnels:read'
/** Changes everyone's devices and allocations. For an API key: changes devices and allocations at all. */
export const writePermission = 'tunnels:write'

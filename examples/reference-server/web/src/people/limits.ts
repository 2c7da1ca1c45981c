/** Of names of users, organisations and keys; as the panel has them. */
export const maxNameLength = 200
export const minPasswordLength = 8

/** Version of this package; equal to package.json's. */
export const version = '0.1.0'

/** What keys are derived for; these words are part of the formats and never change. */
export const KEY_PURPOSES = {
  appKey: 'app-key',
  s3Secret: 's3-secret',
  accessToken: 'access-token',
  refreshToken: 'refresh-token',
  csrfToken: 'csrf-token',
  linkPass: 'link-pass',
  signInNonce: 'sign-in-nonce',
} as const;

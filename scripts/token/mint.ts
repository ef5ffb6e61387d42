import { signCallerToken } from '@headwater/shared/security/caller-token';

/**
 * The secret that signs: the first of a rotating list.
 *
 * @param jwtSecretSetting the value of `JWT_SECRET`, comma-separated
 */
export function signingSecret(jwtSecretSetting: string): string {
  return (jwtSecretSetting.split(',')[0] ?? '').trim();
}

/** Signs an `n8nToken` with the first secret of `JWT_SECRET`. */
export function mintCallerToken(
  jwtSecretSetting: string,
  claims: { readonly subject: string; readonly ttlSeconds: number },
): Promise<string> {
  return signCallerToken(signingSecret(jwtSecretSetting), claims);
}

/** What every signed request is held to, whether it is signed in headers, a query or a form. */
import type { CredentialScope } from '../../../kit/sigv4/credential-scope.ts';
import type { S3Deps } from '../deps.ts';
import { S3Refusal } from '../wire/s3-refusal.ts';

const SIGV4_HINT =
  'This is Signature Version 2. boto3, the AWS CLI of version 1 and django-storages make links with ' +
  'it in eight old regions: set signature_version to s3v4 (AWS_S3_SIGNATURE_VERSION of ' +
  'django-storages; `aws configure set default.s3.signature_version s3v4`), or a region_name such ' +
  'as auto.';

/** For Signature Version 2. s3cmd goes back to Version 4 only if it reads exactly this. */
export function oldSignatureRefusal(): S3Refusal {
  return new S3Refusal(
    'InvalidRequest',
    'The authorization mechanism you have provided is not supported. Please use AWS4-HMAC-SHA256.',
    { Hint: SIGV4_HINT },
  );
}

/** Any region is good unless the operator says otherwise. */
export function requireRegion(
  { settings }: Pick<S3Deps, 'settings'>,
  { region }: CredentialScope,
): void {
  if (!settings.isRegionStrict || region === settings.region) return;
  throw new S3Refusal(
    'AuthorizationHeaderMalformed',
    `The authorization header is malformed; the region '${region}' is wrong; expecting '${settings.region}'`,
    { Region: settings.region },
  );
}

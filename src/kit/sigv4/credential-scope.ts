import { SigV4Error } from './sigv4-error.ts';

/** What a signing key is good for, and whose it is. Its parts hold neither `/` nor spaces. */
export type CredentialScope = {
  readonly accessKeyId: string;
  /** `yyyymmdd`; eight digits, which need not be a day of the calendar. */
  readonly date: string;
  /** May be empty: some clients know no region. */
  readonly region: string;
  readonly service: string;
};

export const SCOPE_TERMINATOR = 'aws4_request';

/** Bounds what a cache of signing keys has to remember. */
const CREDENTIAL_LENGTH_MAX = 256;
const CREDENTIAL = /^([!-.0-~]+)\/(\d{8})\/([!-.0-~]*)\/([!-.0-~]+)\/aws4_request$/;

/** Reads `ACCESS_KEY_ID/yyyymmdd/REGION/SERVICE/aws4_request`; throws `SigV4Error`. */
export function parseCredential(text: string): CredentialScope {
  const match = text.length <= CREDENTIAL_LENGTH_MAX ? CREDENTIAL.exec(text) : null;
  if (match === null) {
    throw new SigV4Error(
      'bad_credential',
      'The credential is not of the form "<access key id>/<yyyymmdd>/<region>/<service>/aws4_request".',
    );
  }
  const [, accessKeyId = '', date = '', region = '', service = ''] = match;
  return { accessKeyId, date, region, service };
}

/** The scope as it stands in a string to sign, without the access key id. */
export function formatScope({ date, region, service }: CredentialScope): string {
  return `${date}/${region}/${service}/${SCOPE_TERMINATOR}`;
}

/** The inverse of `parseCredential`. */
export function formatCredential(scope: CredentialScope): string {
  return `${scope.accessKeyId}/${formatScope(scope)}`;
}

/** An authority of one's own and a certificate for this machine, thrown away after use. */
import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

export type Certificates = {
  /** What a client must trust. */
  readonly caFile: string;
  readonly certFile: string;
  readonly keyFile: string;
};

/** Python and rustls want the usages and key identifiers that the X.509 profile asks for. */
const SETTINGS = `
[req]
distinguished_name = name
prompt = no
[name]
CN = Pinfold tests
[authority]
basicConstraints = critical, CA:TRUE
keyUsage = critical, keyCertSign, cRLSign
subjectKeyIdentifier = hash
[server]
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = serverAuth
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
subjectAltName = IP:127.0.0.1, DNS:localhost
`;

/** Made by openssl in `directory`; rejects where openssl is not installed. */
export async function makeCertificates(
  directory: string,
  { days = 2 }: { readonly days?: number } = {},
): Promise<Certificates> {
  const at = (name: string) => join(directory, name);
  const openssl = (line: string) => run('openssl', line.split(' '), { cwd: directory });
  await writeFile(at('openssl.cnf'), SETTINGS);
  const key = '-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -config openssl.cnf';
  await openssl(`req -x509 ${key} -extensions authority -days ${days} -keyout ca.key -out ca.pem`);
  await openssl(`req ${key} -subj /CN=localhost -keyout server.key -out server.csr`);
  const signed = `-extfile openssl.cnf -extensions server -days ${days}`;
  const by = '-CA ca.pem -CAkey ca.key -CAcreateserial';
  await openssl(`x509 -req -in server.csr ${by} ${signed} -out server.pem`);
  return { caFile: at('ca.pem'), certFile: at('server.pem'), keyFile: at('server.key') };
}

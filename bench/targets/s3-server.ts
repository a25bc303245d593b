/** Servers that speak S3: started by a command, or reached where they run. */
import { randomBytes } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { EMPTY_SHA256 } from '../../src/kit/sigv4/sign.ts';
import type { S3Access } from '../load/plan.ts';
import { S3Signer } from '../protocols/s3-signer.ts';
import { startChild } from './child.ts';
import { freePort } from './free-port.ts';
import type { StartedTarget, Target } from './target.ts';

const BUCKET = 'pinfold-bench';
const REGION = 'us-east-1';
const ASK_MS_MAX = 2000;

export type S3Command = {
  readonly name: string;
  readonly words: string;
  /**
   * For a shell. It finds `S3_PORT`, `S3_DIRECTORY` (fresh), `S3_ACCESS_KEY_ID`, `S3_SECRET` and,
   * where a program was installed for it, `S3_PROGRAM`.
   */
  readonly command: string;
  readonly program: string | undefined;
  /** Made by us: its objects and its log. */
  readonly directory: string;
};

/** Starts it with keys of our own and makes the bucket. */
export async function startS3Command(line: S3Command): Promise<StartedTarget> {
  const { name, words, directory } = line;
  const objects = join(directory, 'objects');
  mkdirSync(objects, { recursive: true });
  const port = await freePort();
  const access = s3Access('pinfoldbench', randomBytes(20).toString('hex'));
  const { child } = await startChild(
    {
      command: 'sh',
      args: ['-c', line.command],
      directory,
      variables: {
        HOME: directory,
        S3_PORT: String(port),
        S3_DIRECTORY: objects,
        S3_ACCESS_KEY_ID: access.accessKeyId,
        S3_SECRET: access.secret,
        ...(line.program === undefined ? {} : { S3_PROGRAM: line.program }),
      },
      logFile: join(directory, 'server.log'),
    },
    async () => ((await makeBucket(`127.0.0.1:${port}`, access)) === 'made' ? true : undefined),
  );
  return {
    ...s3Target({ name, port, access }),
    words,
    pid: child.pid,
    [Symbol.asyncDispose]: child.end,
  };
}

export type S3Place = {
  readonly name: string;
  readonly url: URL;
  readonly accessKeyId: string;
  readonly secret: string;
  readonly region: string | undefined;
};

export async function reachS3(place: S3Place): Promise<StartedTarget> {
  const { name, url } = place;
  const port = Number(url.port === '' ? 80 : url.port);
  const access = { ...s3Access(place.accessKeyId, place.secret), region: place.region ?? REGION };
  const made = await makeBucket(`${url.hostname}:${port}`, access);
  if (made !== 'made') throw new Error(`--peer ${name}: no bucket could be made: ${made}`);
  return {
    ...s3Target({ name, port, access }),
    host: url.hostname,
    words: `at ${url.host}, not started by us: its limits and its memory are its own`,
    [Symbol.asyncDispose]: async () => undefined,
  };
}

/** Whose process it is remains to be said. */
export function s3Target(
  at: Pick<Target, 'name' | 'port'> & { readonly access: S3Access },
): Target {
  return {
    ...at,
    words: '',
    host: '127.0.0.1',
    takes: () => true,
    pid: undefined,
    seed: { kind: 'upload' },
    role: 'peer',
  };
}

function s3Access(accessKeyId: string, secret: string): S3Access {
  return { kind: 's3', bucket: BUCKET, accessKeyId, secret, region: REGION };
}

/** A server that is still starting refuses in many ways; the words are for whoever gives up. */
async function makeBucket(host: string, access: S3Access): Promise<string> {
  const path = `/${access.bucket}`;
  const request = { method: 'PUT', path, query: '', payloadHash: EMPTY_SHA256 };
  const headers = new S3Signer(access, host).headersOf(request);
  try {
    const answer = await fetch(`http://${host}${path}`, {
      method: 'PUT',
      headers,
      signal: AbortSignal.timeout(ASK_MS_MAX),
    });
    const body = await answer.text();
    if (answer.ok || body.includes('BucketAlreadyOwnedByYou')) return 'made';
    return `${answer.status} ${body}`;
  } catch (error) {
    return String(error);
  }
}

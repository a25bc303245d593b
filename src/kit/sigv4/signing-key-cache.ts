import { type CredentialScope, formatCredential } from './credential-scope.ts';
import { deriveSigningKey, type SigningKey } from './signing-key.ts';

type Entry = { readonly secret: string; readonly key: SigningKey };

/**
 * The signing keys of recent scopes, least recently used out first. Deriving one takes four HMACs,
 * and a client keeps its key for a day.
 */
export class SigningKeyCache {
  readonly #keysMax: number;
  readonly #entries = new Map<string, Entry>();

  constructor({ keysMax }: { readonly keysMax: number }) {
    this.#keysMax = keysMax;
  }

  /** How many keys are held. */
  get size(): number {
    return this.#entries.size;
  }

  /** The key of `scope` under `secret`; one kept of an older secret is never answered. */
  get(scope: CredentialScope, secret: string): SigningKey {
    const name = formatCredential(scope);
    const known = this.#entries.get(name);
    if (known !== undefined) this.#entries.delete(name);
    const entry =
      known?.secret === secret ? known : { secret, key: deriveSigningKey(scope, secret) };
    this.#entries.set(name, entry);
    if (this.#entries.size > this.#keysMax) {
      for (const oldest of this.#entries.keys()) {
        this.#entries.delete(oldest);
        break;
      }
    }
    return entry.key;
  }
}

/**
 * What is under way counts (files-api.md): what an account has stored and what it has announced
 * never exceed its storage together, so that many uploads at once put no more on the disk than one
 * after the other. Small bodies are exempt: they are memory, and count in what all of them share.
 */
import { strict as assert } from 'node:assert';
import { maxBigint } from '../../../kit/max-bigint.ts';
import type { SharedRoom } from '../../../kit/shared-room.ts';
import type { ServiceError } from '../../errors.ts';
import type { Account } from '../../identity/account/account.ts';
import type { AccountId } from '../../ids.ts';
import { SMALL_BODY_BYTES_MAX } from '../../limits.ts';
import { overloaded } from '../../overloaded.ts';
import type { ByteSink } from '../../ports/blob-store.ts';
import type { ByteSource } from '../../ports/byte-source.ts';
import type { Metadata } from '../../ports/metadata/metadata.ts';
import { type QuotaPolicy, quotaExceeded, storageLeftBytes } from '../../quota.ts';

/** A body of unknown length has its account looked at again at least once in so many bytes. */
const LOOK_BYTES = 4n * 1024n * 1024n;

/** What bounds an upload. */
export type UploadBound = {
  /** What the account may have under way, this upload included, as it stands. */
  readonly bytes: bigint;
  /** The same, read again: other uploads end while a body of unknown length comes in. */
  readonly read: () => Promise<bigint>;
  /** What who wants so many bytes in all is told. */
  readonly refuse: (bytes: bigint) => ServiceError;
};

/**
 * The bound of an upload whose row counts `rowBytes` beside its bytes, in place of `replacedBytes`
 * that its account has counted; see `checkStorageQuota`.
 */
export function uploadBound(
  deps: { readonly metadata: Pick<Metadata, 'findAccount'>; readonly quota: QuotaPolicy },
  account: Account,
  upload: { readonly rowBytes: number; readonly replacedBytes: number },
): UploadBound {
  const { rowBytes, replacedBytes } = upload;
  const replaced = BigInt(replacedBytes);
  const own = BigInt(rowBytes);
  const boundOf = (facts: Account) => {
    const left = storageLeftBytes(deps.quota, facts, replacedBytes);
    return maxBigint(maxBigint(left, replaced) - own, 0n);
  };
  return {
    bytes: boundOf(account),
    read: async () => {
      const facts = await deps.metadata.findAccount(account.accountId);
      return facts === undefined ? 0n : boundOf(facts);
    },
    refuse: (bytes) => quotaExceeded(deps.quota, account, rowBytes + Number(bytes)),
  };
}

/** One upload's part of what is under way. */
export type UploadShare = {
  /** The body, counted as it comes; read it in place of the one it was made of. */
  readonly body: ByteSource;
  /** Takes what is announced, or throws what `bound` refuses with; once, before the body. */
  readonly admit: (bound: UploadBound) => void;
  /** Gives all of it back; may be called again. */
  readonly end: () => void;
};

export class UnderWay {
  readonly #memory: SharedRoom;
  readonly #accounts = new Map<AccountId, AccountState>();

  /** `memory`: where small bodies are gathered. */
  constructor(memory: SharedRoom) {
    this.#memory = memory;
  }

  /** Bytes that an account has announced, small bodies left out. */
  bytesOf(accountId: AccountId): bigint {
    return this.#accounts.get(accountId)?.bytes ?? 0n;
  }

  open(accountId: AccountId, body: ByteSource): UploadShare {
    const { declaredBytes } = body;
    const memory = this.#memory.open(accountId);
    const account = new AccountShare(this.#accounts, accountId);
    const end = () => {
      memory.end();
      account.end();
    };
    const gather = (bytes: number) => {
      if (!memory.take(bytes)) throw overloaded();
    };
    if (declaredBytes === undefined) {
      const admit = (bound: UploadBound) => account.follow(bound);
      const leaveMemory = () => memory.end();
      return { body: growing(body, { gather, leaveMemory, account }), admit, end };
    }
    if (declaredBytes <= SMALL_BODY_BYTES_MAX) {
      return { body: gathered(body, gather), admit: () => undefined, end };
    }
    return { body, admit: (bound) => account.take(BigInt(declaredBytes), bound), end };
  }
}

/** `ended`: how many shares have ended; what they held is stored now, or free. */
type AccountState = { readonly bytes: bigint; readonly ended: number };

const IDLE: AccountState = { bytes: 0n, ended: 0 };

class AccountShare {
  readonly #all: Map<AccountId, AccountState>;
  readonly #accountId: AccountId;
  #bound: UploadBound | undefined;
  #taken = 0n;
  /** The newest look at the account: what it allows, until others end or so many bytes came. */
  #look: { readonly bytes: bigint; readonly until: bigint; readonly ended: number } | undefined;

  constructor(all: Map<AccountId, AccountState>, accountId: AccountId) {
    this.#all = all;
    this.#accountId = accountId;
  }

  follow(bound: UploadBound): void {
    this.#bound = bound;
  }

  /** Nothing is awaited between looking and taking, so that two never take the same room. */
  take(bytes: bigint, bound: Pick<UploadBound, 'bytes' | 'refuse'>): void {
    if (bytes > bound.bytes - this.#others()) throw bound.refuse(bytes);
    this.#set(bytes);
  }

  /** Takes `bytes` in all; waits where the account must be looked at again. */
  cover(bytes: bigint): Promise<void> | undefined {
    const look = this.#look;
    const isNew = look !== undefined && bytes <= look.until && look.ended === this.#state().ended;
    if (!isNew || bytes > look.bytes - this.#others()) return this.#grow(bytes);
    this.#set(bytes);
    return undefined;
  }

  end(): void {
    if (this.#taken === 0n) return;
    this.#set(0n);
    const state = this.#all.get(this.#accountId);
    if (state === undefined) return;
    this.#all.set(this.#accountId, { ...state, ended: state.ended + 1 });
  }

  async #grow(bytes: bigint): Promise<void> {
    const bound = this.#bound;
    assert(bound, 'an upload is admitted before its body comes');
    // Of what ends meanwhile it is not known whether the account was read before or after.
    const { ended } = this.#state();
    const allowed = await bound.read();
    if (bytes > allowed - this.#others()) {
      // At once, so that of many that meet the limit together as many go on as have room.
      this.end();
      throw bound.refuse(bytes);
    }
    this.#look = { bytes: allowed, until: bytes + LOOK_BYTES, ended };
    this.#set(bytes);
  }

  #state(): AccountState {
    return this.#all.get(this.#accountId) ?? IDLE;
  }

  #others(): bigint {
    return this.#state().bytes - this.#taken;
  }

  #set(bytes: bigint): void {
    const { ended } = this.#state();
    const all = this.#others() + bytes;
    this.#taken = bytes;
    if (all > 0n) this.#all.set(this.#accountId, { bytes: all, ended });
    else this.#all.delete(this.#accountId);
  }
}

/** A small body, of which every byte is memory until it is stored. */
function gathered(body: ByteSource, gather: (bytes: number) => void): ByteSource {
  return {
    declaredBytes: body.declaredBytes,
    pipeTo: (sink) =>
      body.pipeTo((chunk) => {
        gather(chunk.byteLength);
        return sink(chunk);
      }),
  };
}

/** A body of unknown length: memory while it is small, then the account's. */
function growing(
  body: ByteSource,
  share: {
    readonly gather: (bytes: number) => void;
    readonly leaveMemory: () => void;
    readonly account: AccountShare;
  },
): ByteSource {
  let bytes = 0;
  const take = (chunk: Uint8Array, sink: ByteSink): Promise<void> | undefined => {
    bytes += chunk.byteLength;
    if (bytes <= SMALL_BODY_BYTES_MAX) {
      share.gather(chunk.byteLength);
      return sink(chunk);
    }
    const growth = share.account.cover(BigInt(bytes));
    const write = () => {
      const written = sink(chunk);
      // From here on the store writes it to a file of its own.
      share.leaveMemory();
      return written;
    };
    return growth === undefined ? write() : growth.then(write);
  };
  return {
    declaredBytes: undefined,
    pipeTo: (sink) => body.pipeTo((chunk) => take(chunk, sink)),
  };
}

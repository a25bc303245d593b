/**
 * CRC64NVME (NVM Express, NVM Command Set, "64b CRC"): polynomial 0xad93d23594c93659, reflected,
 * all ones before and after. The loop is WebAssembly: 64 bits at once are beyond JavaScript's
 * numbers, and every byte of an upload passes here.
 */
import { assembleSlicedCrc, type SlicedCrc } from './sliced-crc-wasm.ts';

/** The polynomial with its bits in the order of the wire. */
const POLYNOMIAL = 0x9a6c9329ac4bc9b5n;
/** Bytes that one turn of the loop takes, and so how many tables there are: 64 KiB of them. */
const SLICE_BYTES = 32;
/** Bytes that are copied into the loop's memory at once; with four times as many it is slower. */
const WINDOW_BYTES = 16 * 1024;
const ENTRY_BYTES = 8;
const TABLES_BYTES = SLICE_BYTES * 256 * ENTRY_BYTES;
const PAGE_BYTES = 64 * 1024;

/** What this file uses of WebAssembly, which TypeScript knows only from browsers. */
declare const WebAssembly: {
  readonly Memory: new (size: { readonly initial: number }) => { readonly buffer: ArrayBuffer };
  readonly Module: new (code: Uint8Array) => object;
  readonly Instance: new (
    code: object,
    imports: { readonly env: { readonly memory: object } },
  ) => { readonly exports: { readonly crc: SlicedCrc } };
};

/** Begun once: it holds the tables and a window, and no state between two calls. */
const { crc, window } = instantiate();

/**
 * The CRC of `bytes`, as an unsigned 64-bit value; of what `previous` is the CRC of and `bytes`
 * behind it, when that is given.
 */
export function crc64Nvme(bytes: Uint8Array, previous = 0n): bigint {
  let register = ~previous;
  for (let at = 0; at < bytes.length; at += WINDOW_BYTES) {
    const piece = bytes.subarray(at, at + WINDOW_BYTES);
    window.set(piece);
    register = crc(register, TABLES_BYTES, TABLES_BYTES + piece.length);
  }
  return BigInt.asUintN(64, ~register);
}

function instantiate(): { readonly crc: SlicedCrc; readonly window: Uint8Array } {
  const pages = Math.ceil((TABLES_BYTES + WINDOW_BYTES) / PAGE_BYTES);
  const memory = new WebAssembly.Memory({ initial: pages });
  writeTables(new DataView(memory.buffer));
  const code = new WebAssembly.Module(assembleSlicedCrc({ sliceBytes: SLICE_BYTES, pages }));
  const instance = new WebAssembly.Instance(code, { env: { memory } });
  return {
    crc: instance.exports.crc,
    window: new Uint8Array(memory.buffer, TABLES_BYTES, WINDOW_BYTES),
  };
}

/** Table `t` at byte `b`: the CRC register after `b` and `t` zero bytes, begun at zero. */
function writeTables(view: DataView): void {
  const first = Array.from({ length: 256 }, (_, byte) => {
    let register = BigInt(byte);
    for (let bit = 0; bit < 8; bit += 1) {
      register = register & 1n ? (register >> 1n) ^ POLYNOMIAL : register >> 1n;
    }
    return register;
  });
  let table = first;
  for (let index = 0; index < SLICE_BYTES; index += 1) {
    for (const [byte, register] of table.entries()) {
      view.setBigUint64((index * 256 + byte) * ENTRY_BYTES, register, true);
    }
    table = table.map((register) => (register >> 8n) ^ (first[Number(register & 0xffn)] ?? 0n));
  }
}

/**
 * Solana's off-chain messages: what a hardware wallet signs in the place of a bare text, so that no
 * signature over a text can be one over a transaction (docs.anza.xyz, proposals/off-chain-message-
 * signing; the second version is SRFC 3).
 */

const SIGNING_DOMAIN = Buffer.from('\xffsolana offchain', 'latin1');
/** No application names itself: all zeros, as the specification has it. */
const NO_APPLICATION = Buffer.alloc(32);
/** Devices show up to this many bytes, header and all; both formats for them end here. */
const LEDGER_MESSAGE_BYTES_MAX = 1232;
/** Restricted ASCII, and UTF-8 in the size that devices take; some say the first of both. */
const DEVICE_FORMATS = [0, 1] as const;

/**
 * Every envelope in which a wallet may have signed exactly this text alone for itself: version 0,
 * its older form without application and signers (older applications of Ledger, the Solana CLI),
 * and version 1. `signer` is the wallet's public key.
 */
export function offchainEnvelopes(text: Uint8Array, signer: Uint8Array): readonly Uint8Array[] {
  const versionOne = [SIGNING_DOMAIN, Buffer.of(1), Buffer.of(1), signer, text];
  if (text.length > LEDGER_MESSAGE_BYTES_MAX) return [Buffer.concat(versionOne)];
  const length = Buffer.alloc(2);
  length.writeUInt16LE(text.length);
  const versionsZero = DEVICE_FORMATS.flatMap((format) => {
    const head = [SIGNING_DOMAIN, Buffer.of(0)];
    const tail = [length, text];
    return [
      [...head, NO_APPLICATION, Buffer.of(format), Buffer.of(1), signer, ...tail],
      [...head, Buffer.of(format), ...tail],
    ];
  });
  return [...versionsZero, versionOne].map((parts) => Buffer.concat(parts));
}

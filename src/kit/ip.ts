/** IP addresses and blocks of them. */
import ipaddr from 'ipaddr.js';

type Address = ReturnType<typeof ipaddr.parse>;

/** Parses an IPv4 or IPv6 address in its usual text; IPv4 within IPv6 becomes IPv4. */
function parseAddress(text: string): Address | undefined {
  if (text.length > ADDRESS_LENGTH_MAX) return undefined;
  // The library also reads octal, hexadecimal and shortened IPv4, which people do not mean.
  if (ipaddr.IPv4.isValidFourPartDecimal(text)) return ipaddr.IPv4.parse(text);
  if (!text.includes(':') || text.includes('%') || !ipaddr.IPv6.isValid(text)) return undefined;
  return ipaddr.process(text);
}

/** Longest text of an IPv6 address. */
const ADDRESS_LENGTH_MAX = 45;

/**
 * The canonical text of an address, without its zone: every spelling of one address is one text.
 * `undefined` for what is no address.
 */
export function canonicalAddress(text: string): string | undefined {
  return parseAddress(withoutZone(text))?.toString();
}

/**
 * Whose an address is, as canonical text: an IPv4 address by itself, an IPv6 one by its /64, of
 * which one client has every address.
 */
export function clientBlock(text: string): string | undefined {
  const address = parseAddress(withoutZone(text));
  if (address?.kind() !== 'ipv6') return address?.toString();
  return canonicalBlock(`${address.toString()}/64`);
}

const LOOPBACK = ['127.0.0.0/8', '::1'];

/** Whether an address is the machine's own. */
export function isLoopback(address: string): boolean {
  return isInBlocks(address, LOOPBACK);
}

function withoutZone(text: string): string {
  return text.replace(/%.*$/s, '');
}

/**
 * The canonical text of an address or a CIDR block (`192.0.2.0/24`, the bits beyond its prefix
 * cleared), or `undefined` when it is neither.
 */
export function canonicalBlock(text: string): string | undefined {
  const [addressText, bitsText, ...rest] = text.split('/');
  const address = parseAddress(addressText ?? '');
  if (address === undefined || rest.length > 0) return undefined;
  if (bitsText === undefined) return address.toString();
  const bits = /^\d{1,3}$/.test(bitsText) ? Number(bitsText) : Number.NaN;
  const isMapped = address.kind() === 'ipv4' && (addressText ?? '').includes(':');
  // Bits of `::ffff:a.b.c.d/n` count from the IPv6 address's front; nobody writes that on purpose.
  if (isMapped || !(bits <= (address.kind() === 'ipv4' ? 32 : 128))) return undefined;
  const block = `${address.toString()}/${bits}`;
  const network =
    address.kind() === 'ipv4'
      ? ipaddr.IPv4.networkAddressFromCIDR(block)
      : ipaddr.IPv6.networkAddressFromCIDR(block);
  return `${network.toString()}/${bits}`;
}

/** Whether `address` is in one of `blocks` (each as `canonicalBlock` gave it). */
export function isInBlocks(address: string, blocks: readonly string[]): boolean {
  const parsed = parseAddress(withoutZone(address));
  if (parsed === undefined) return false;
  return blocks.some((block) => isInBlock(parsed, block));
}

/** Whether all of `block` is in one of `blocks` (each as `canonicalBlock` gave it). */
export function isWithinBlocks(block: string, blocks: readonly string[]): boolean {
  const [base = '', bits = '128'] = block.split('/');
  return blocks.some((one) => {
    const [, outerBits = '128'] = one.split('/');
    return Number(outerBits) <= Number(bits) && isInBlocks(base, [one]);
  });
}

function isInBlock(address: Address, block: string): boolean {
  const [base = '', bits] = block.split('/');
  const parsed = parseAddress(base);
  if (parsed === undefined || parsed.kind() !== address.kind()) return false;
  return address.match(parsed, bits === undefined ? parsed.toByteArray().length * 8 : Number(bits));
}

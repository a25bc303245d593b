/**
 * Proves over the S3 wire that any listing is what a plain model says, for any keys, prefix,
 * delimiter, marker and page size, in both versions; and that an object of parts is to its readers
 * the object of one put.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { elementsOf, textsOf } from '../clients/s3/xml-texts.ts';
import { MIB, type ObjectCalls, objectCalls, type Part, textOf } from '../wire/s3/object-calls.ts';
import { startS3 } from '../wire/s3/start-s3.ts';
import { runsOf } from '../world/effort.ts';
import { seededRandom } from '../world/seeded-random.ts';

const s3 = await startS3();

/** What a listing names, in its order. */
type Entry = { readonly kind: 'key' | 'prefix'; readonly name: string };

type Listing = {
  readonly keys: readonly string[];
  readonly prefix: string;
  readonly delimiter: string;
  readonly marker: string;
  readonly limit: number;
  readonly version: 1 | 2;
  readonly isEncoded: boolean;
};

const byBytes = (one: string, other: string) =>
  Buffer.compare(Buffer.from(one), Buffer.from(other));

/** What a listing is, said plainly. */
function modelOf({ keys, prefix, delimiter, marker }: Listing): readonly Entry[] {
  const groupOf = (key: string): string | undefined => {
    if (delimiter === '' || !key.startsWith(prefix)) return undefined;
    const at = key.indexOf(delimiter, prefix.length);
    return at < 0 ? undefined : key.slice(0, at + delimiter.length);
  };
  const skipped = groupOf(marker) === marker ? marker : undefined;
  const entries = new Map<string, Entry>();
  for (const key of keys.toSorted(byBytes)) {
    if (!key.startsWith(prefix) || byBytes(key, marker) <= 0) continue;
    const group = groupOf(key);
    if (group === undefined) entries.set(`key ${key}`, { kind: 'key', name: key });
    else if (group !== skipped) entries.set(`prefix ${group}`, { kind: 'prefix', name: group });
  }
  return [...entries.values()].toSorted((one, other) => byBytes(one.name, other.name));
}

/** The entries of one answer. Keys stand before prefixes there; together they are in order. */
function entriesOf(text: string, isEncoded: boolean): readonly Entry[] {
  const read = (name: string) => (isEncoded ? decodeURIComponent(name) : name);
  const named = (element: string, name: string, kind: Entry['kind']) =>
    elementsOf(text, element).map((one): Entry => ({ kind, name: read(textOf(one, name)) }));
  return [
    ...named('Contents', 'Key', 'key'),
    ...named('CommonPrefixes', 'Prefix', 'prefix'),
  ].toSorted((one, other) => byBytes(one.name, other.name));
}

async function pagesOf(
  calls: ObjectCalls,
  listing: Listing,
): Promise<readonly (readonly Entry[])[]> {
  const { prefix, delimiter, marker, limit, version, isEncoded } = listing;
  const pages: (readonly Entry[])[] = [];
  let next: Readonly<Record<string, string>> =
    version === 1 ? { marker } : { 'list-type': '2', 'start-after': marker };
  for (;;) {
    const { text } = await calls.list({
      ...{ prefix, delimiter, 'max-keys': `${limit}`, ...next },
      ...(isEncoded ? { 'encoding-type': 'url' } : {}),
    });
    const entries = entriesOf(text, isEncoded);
    pages.push(entries);
    if (version === 2) assert.equal(textOf(text, 'KeyCount'), `${entries.length}`);
    if (textOf(text, 'IsTruncated') === 'false') return pages;
    assert.equal(entries.length, limit, 'a page that is not the last is full');
    if (version === 1) {
      const [marked = ''] = textsOf(text, 'NextMarker');
      next = { marker: isEncoded ? decodeURIComponent(marked) : marked };
      assert.equal(next['marker'], entries.at(-1)?.name);
    } else {
      const token = textOf(text, 'NextContinuationToken');
      next = { 'list-type': '2', 'continuation-token': token };
    }
    assert.ok(pages.length < 200, 'the pages do not end');
  }
}

/** Those that meet each other often, and any other but NUL. */
const letter = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.constantFrom('a', 'b', '/', '-', '%', '+', ' ', '\u{10000}', '\uFFFD', 'é', '🐈'),
  },
  {
    weight: 2,
    arbitrary: fc.constantFrom('\t', '\n', '\r', '\u0001', '\u001f', '\u007f', '&', '<', '"', ']'),
  },
  { weight: 1, arbitrary: fc.constantFrom('\u0085', '\u2028', '\uFEFF', '\uFFFE', '\uFFFF', '.') },
  { weight: 1, arbitrary: fc.string({ unit: 'binary', minLength: 1, maxLength: 1 }) },
);
const textOfLetters = (limits: { readonly minLength: number; readonly maxLength: number }) =>
  fc.array(letter, limits).map((letters) => letters.join('').replaceAll('\0', '0'));

const listings: fc.Arbitrary<Listing> = fc
  .record({
    keys: fc.uniqueArray(textOfLetters({ minLength: 1, maxLength: 8 }), {
      minLength: 1,
      maxLength: 25,
    }),
    piece: fc.record({
      of: fc.nat(),
      length: fc.integer({ min: 0, max: 6 }),
      free: fc.option(textOfLetters({ minLength: 0, maxLength: 3 }), { nil: undefined, freq: 3 }),
    }),
    delimiter: fc.oneof(
      fc.constantFrom('', '/', 'a', '//', '🐈', '\u{10000}', '%', ' '),
      textOfLetters({ minLength: 1, maxLength: 3 }),
    ),
    start: fc.record({
      of: fc.nat(),
      kind: fc.constantFrom('none', 'key', 'part of a key', 'free'),
      free: textOfLetters({ minLength: 0, maxLength: 4 }),
    }),
    limit: fc.integer({ min: 1, max: 30 }),
    version: fc.constantFrom(1 as const, 2 as const),
    isEncoded: fc.boolean(),
  })
  .map(({ keys, piece, start, ...rest }) => {
    const pick = (of: number) => [...(keys[of % keys.length] ?? '')];
    const markers = {
      none: '',
      key: pick(start.of).join(''),
      'part of a key': pick(start.of).slice(0, 2).join(''),
      free: start.free,
    };
    return {
      ...{ keys, ...rest },
      prefix:
        piece.free ??
        pick(piece.of)
          .slice(0, Math.max(0, piece.length - 3))
          .join(''),
      marker: markers[start.kind],
    };
  });

let made = 0;

test('any listing is what the model says, page by page', async () => {
  await fc.assert(
    fc.asyncProperty(listings, async (listing) => {
      made += 1;
      const holder = await s3.openHolder(`lister-${made}`);
      // Its connections end with the run: the server takes so many at once and no more.
      using raw = holder.raw;
      const calls = objectCalls({ ...holder, raw });
      await Promise.all(listing.keys.map((key) => calls.put(key)));
      const pages = await pagesOf(calls, listing);
      assert.deepEqual(pages.flat(), modelOf(listing));
    }),
    { numRuns: runsOf({ short: 60, long: 3000 }) },
  );
});

const MODE = { 'x-amz-checksum-mode': 'ENABLED' };
const bytes = Buffer.from(seededRandom('parts over the wire').bytes(12 * MIB));

test('an object of parts is to its readers the object of one put', async () => {
  const holder = await s3.openHolder('parts');
  await s3.admin.changeLimits(holder.account, { storage_bytes: 1000 * MIB });
  const calls = objectCalls(holder);
  await fc.assert(
    fc.asyncProperty(
      fc.record({
        large: fc.array(fc.integer({ min: 5 * MIB, max: 5 * MIB + 70_000 }), { maxLength: 2 }),
        last: fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 300_000 })),
        gap: fc.integer({ min: 1, max: 3333 }),
        isBackward: fc.boolean(),
        algorithm: fc.constantFrom('CRC32', 'CRC32C', 'CRC64NVME'),
        cuts: fc.tuple(fc.nat({ max: 11 * MIB }), fc.nat({ max: 11 * MIB })),
      }),
      async ({ large, last, gap, isBackward, algorithm, cuts }) => {
        const whole = bytes.subarray(
          0,
          [...large, last].reduce((sum, size) => sum + size, 0),
        );
        const checksum = { 'x-amz-checksum-algorithm': algorithm };
        const full = { ...checksum, 'x-amz-checksum-type': 'FULL_OBJECT' };
        await calls.put('put', whole);
        const copied = { ...checksum, 'x-amz-copy-source': `${calls.bucket}/put` };
        await calls.done('PUT', 'single', { headers: copied });
        const uploadId = await calls.begin('parts', full);
        let start = 0;
        const pieces = [...large, last].map((size, index) => {
          start += size;
          return { number: (index + 1) * gap, body: whole.subarray(start - size, start) };
        });
        const parts: Part[] = [];
        for (const piece of isBackward ? pieces.toReversed() : pieces) {
          parts.push(await calls.send('parts', uploadId, piece));
        }
        const listed = parts.toSorted((one, other) => one.number - other.number);
        assert.equal((await calls.complete('parts', uploadId, listed)).status, 200);
        const range = `bytes=${Math.min(...cuts)}-${Math.max(...cuts)}`;
        for (const headers of [MODE, { range }, { range: `bytes=-${cuts[0]}` }]) {
          const [one, other] = [
            await calls.get('single', headers),
            await calls.get('parts', headers),
          ];
          assert.equal(other.status, one.status, JSON.stringify(headers));
          if (one.status < 300) assert.ok(other.bytes.equals(one.bytes));
          const names = ['content-length', 'content-range', 'content-type'];
          for (const name of [...names, `x-amz-checksum-${algorithm.toLowerCase()}`]) {
            if (one.status < 300) assert.equal(other.headers[name], one.headers[name], name);
          }
        }
        assert.ok((await calls.get('parts')).bytes.equals(whole));
      },
    ),
    { numRuns: runsOf({ short: 6, long: 100 }) },
  );
});

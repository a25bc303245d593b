/** PostObject: a form that a page sends by itself, with a policy that was signed beforehand. */
import { authorizeObjects } from '../../../core/identity/access/authorize-objects.ts';
import { limitKey } from '../../../core/ids.ts';
import type { ObjectVersion } from '../../../core/objects/object.ts';
import { withKeptChecksums } from '../../../core/objects/write/kept-checksums.ts';
import { putObject } from '../../../core/objects/write/put-object.ts';
import type { ByteSource } from '../../../core/ports/byte-source.ts';
import { credentialLabel } from '../../../core/principal.ts';
import { encodePath } from '../../../kit/sigv4/percent.ts';
import { sayableText } from '../../../kit/xml/escape-xml.ts';
import { readXml } from '../../../kit/xml/read-xml.ts';
import { xmlText } from '../../../kit/xml/xml-format.ts';
import { FORM_FIELDS_MS } from '../../../server/bodies/body-watch.ts';
import { requestBody } from '../../../server/bodies/request-body.ts';
import { authenticateForm, requireField } from '../access/authenticate-form.ts';
import { type PostPolicy, parsePostPolicy } from '../access/parse-post-policy.ts';
import { checkPostPolicy } from '../access/post-policy.ts';
import type { S3Deps } from '../deps.ts';
import { requireKnownElements } from '../parameters/require-known-elements.ts';
import { requireKnownParameters } from '../parameters/require-known-parameters.ts';
import { answerDocument, answerEmpty, resultElement } from '../wire/answers.ts';
import { bodyDemands, checksumHeaders } from '../wire/checksum-headers.ts';
import type { Call } from '../wire/exchange.ts';
import { type Form, formBoundary, receiveForm } from '../wire/form-body.ts';
import { formHeaders } from '../wire/form-headers.ts';
import { PUT_BYTES_MAX } from '../wire/object-body.ts';
import { describeObject, refuseUnkept, requireTrueAcl } from '../wire/object-description.ts';
import { readKey } from '../wire/request-head.ts';
import { S3Refusal } from '../wire/s3-refusal.ts';
import { OBJECT_TAGS_MAX, readTagging, type Tags } from '../wire/tags.ts';

/** What was kept of a form, and what it wants to hear. */
type Posted = { readonly version: ObjectVersion; readonly fields: Form['fields'] };

export async function postObject(deps: S3Deps, call: Call): Promise<void> {
  const boundary = formBoundary(call.head.headers['content-type']);
  call.sendContinue();
  let isFileHere = false;
  const terms = { withinMs: FORM_FIELDS_MS, isOver: () => isFileHere };
  const body = requestBody(call.request, deps.watch, terms);
  // Its sender is in the fields: until they are read it is an address.
  const share = deps.memory.open(limitKey({ address: deps.clients.of(call.request) }));
  try {
    const posted = await receiveForm({ body, boundary, share }, (form) => {
      isFileHere = true;
      return keepForm(deps, call, form);
    });
    answerPosted(deps, call, posted);
  } finally {
    share.end();
  }
}

/** Everything that can be refused is, before the first byte of the file is taken. */
async function keepForm(deps: S3Deps, { bucket, request }: Call, form: Form): Promise<Posted> {
  const { fields } = form;
  const principal = await authenticateForm(deps, fields);
  deps.connections.prove(request.socket, principal.accountId);
  const keyText = expandFileName(requireField(fields, 'key'), form.fileName);
  const policy = parsePostPolicy(requireField(fields, 'policy'));
  const seen = new Map(fields).set('key', keyText).set('bucket', bucket.name);
  checkPostPolicy(policy, { fields: seen, now: deps.clock.now() });
  authorizeObjects(principal, 'write', bucket, keyText);
  const key = readKey(keyText);
  const headers = formHeaders(fields);
  // A field means what the header of a PUT does, and is dropped as little.
  requireKnownParameters('PutObject', { headers, query: new Map() });
  requireTrueAcl(headers, { isPublic: bucket.publicRead });
  refuseUnkept(headers);
  const tags = tagsOf(fields.get('tagging'));
  const description = describeObject(headers);
  const version = await putObject(deps, {
    accountId: bucket.accountId,
    bucketId: bucket.bucketId,
    key,
    description: tags === undefined ? description : { ...description, tags },
    body: boundedFile(form.file, policy),
    demands: withKeptChecksums(bodyDemands(headers, { kind: 'unsigned' }, () => NO_TRAILERS)),
    conditions: {},
    usage: { source: 's3', credential: credentialLabel(principal) },
    isExpectingContinue: false,
    describeOperation: undefined,
  });
  deps.metrics.countBytes('in', version.sizeBytes);
  return { version, fields };
}

const NO_TRAILERS: ReadonlyMap<string, string> = new Map();

// biome-ignore lint/suspicious/noTemplateCurlyInString: a form's placeholder, which S3 defines
const FILE_NAME = '${filename}';

/** Puts the file's own name where the key leaves room for it, without the folders before it. */
function expandFileName(key: string, fileName: string): string {
  return key.replaceAll(FILE_NAME, () => fileName.replace(/^.*[\\/]/s, ''));
}

function tagsOf(tagging: string | undefined): Tags | undefined {
  if (tagging === undefined || tagging === '') return undefined;
  const root = readXml(Buffer.from(tagging, 'utf8'));
  requireKnownElements('PutObjectTagging', root);
  return readTagging(root, OBJECT_TAGS_MAX);
}

/** The file within the policy's limits: refused as soon as it passes one, or ends before one. */
function boundedFile(file: ByteSource, policy: PostPolicy): ByteSource {
  const sizeBytesMax = Math.min(policy.sizeBytesMax, PUT_BYTES_MAX);
  const { sizeBytesMin } = policy;
  return {
    declaredBytes: undefined,
    async pipeTo(sink) {
      let sizeBytes = 0;
      await file.pipeTo((chunk) => {
        sizeBytes += chunk.byteLength;
        if (sizeBytes > sizeBytesMax) {
          throw new S3Refusal('EntityTooLarge', undefined, {
            ProposedSize: sizeBytes,
            MaxSizeAllowed: sizeBytesMax,
          });
        }
        return sink(chunk);
      });
      if (sizeBytes < sizeBytesMin) {
        throw new S3Refusal('EntityTooSmall', undefined, {
          ProposedSize: sizeBytes,
          MinSizeAllowed: sizeBytesMin,
        });
      }
    },
  };
}

function answerPosted(deps: S3Deps, call: Call, { version, fields }: Posted): void {
  const bucket = call.bucket.name;
  const { key } = version;
  const etag = `"${version.etag}"`;
  const location = `${deps.settings.publicUrl(call.request)}/${bucket}/${encodePath(key)}`;
  const headers = { etag, ...checksumHeaders(version.checksum) };
  const target = redirectTarget(fields.get('success_action_redirect'), { bucket, key, etag });
  if (target !== undefined) {
    answerEmpty(call, 303, { ...headers, location: target });
    return;
  }
  switch (fields.get('success_action_status')) {
    case '201':
      answerDocument(
        call,
        { status: 201, headers: { ...headers, location } },
        resultElement(
          'PostResponse',
          xmlText('Location', location),
          xmlText('Bucket', bucket),
          xmlText('Key', sayableText(key)),
          xmlText('ETag', etag),
        ),
      );
      return;
    case '200':
      answerEmpty(call, 200, { ...headers, location });
      return;
    default:
      answerEmpty(call, 204, { ...headers, location });
  }
}

/** Where the form wants its sender to go on; what is no address of the web is not gone to. */
function redirectTarget(
  text: string | undefined,
  kept: Readonly<Record<'bucket' | 'key' | 'etag', string>>,
): string | undefined {
  const url = text === undefined ? null : URL.parse(text);
  if (url === null || !/^https?:$/.test(url.protocol)) return undefined;
  const query = Object.entries(kept)
    .map(([name, value]) => `${name}=${encodeURIComponent(value)}`)
    .join('&');
  url.search = url.search === '' ? query : `${url.search}&${query}`;
  return url.href;
}

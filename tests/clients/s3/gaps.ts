/** What each tool cannot express, and why: the round trip sends it as signed requests of ours. */
import type { ChecksumAlgorithm } from '../../../src/kit/checksums/checksum-algorithms.ts';
import type { StepName } from './s3-tool.ts';

export type Gaps = {
  readonly steps: Readonly<Partial<Record<StepName, string>>>;
  /** By the names of ODD_KEYS: what it cannot store, read or delete. */
  readonly keys: Readonly<Record<string, string>>;
  /** By the names of ODD_KEYS: what it cannot delete together with others. */
  readonly bulkDeletes?: Readonly<Record<string, string>>;
  readonly checksums?: Readonly<Partial<Record<ChecksumAlgorithm, string>>>;
};

const NONE: Gaps = { steps: {}, keys: {} };
const SDK: Gaps = {
  ...NONE,
  bulkDeletes: { control: 'it writes the character as it is, which no XML 1.0 may hold' },
};

const FOLDERS = 'what ends in a slash is a folder to it';
const CLEANED = 'it cleans paths before it sends them';
const DOTS = 'it writes a name of dots in full-width letters';
const PICTURES = 'it shows a control character as its picture';
const RCLONE_KEYS = {
  'double slash': CLEANED,
  'leading slash': CLEANED,
  'trailing slash': FOLDERS,
  'only slashes': FOLDERS,
  parent: DOTS,
  'leading parent': DOTS,
  here: DOTS,
  'parent at the end': DOTS,
  tab: PICTURES,
  'line break': PICTURES,
  'carriage return': PICTURES,
  control: PICTURES,
};

export type ToolName = keyof typeof GAPS;

export const GAPS = {
  'signed requests': NONE,
  boto3: SDK,
  'AWS SDK for JavaScript': SDK,
  'aws-sdk-go-v2': SDK,
  'aws-sdk-rust': SDK,
  'AWS CLI v1': SDK,
  'AWS CLI v2': {
    ...SDK,
    checksums: { CRC64NVME: 'Debian 12 has a version from before it' },
  },
  rclone: {
    steps: { putChecked: 'it sends no checksum but Content-MD5' },
    keys: RCLONE_KEYS,
  },
  mc: {
    steps: {},
    keys: {
      'file below a file': 'it takes a name with others below it for a folder',
      'trailing slash': FOLDERS,
      'only slashes': FOLDERS,
      'line break': 'it reads the names of what it is to delete a line each',
    },
  },
  s3cmd: {
    steps: {
      putChecked: 'it sends no checksum but Content-MD5',
      presign: 'it signs URLs by version 2 only',
    },
    keys: {
      'trailing slash': FOLDERS,
      'only slashes': FOLDERS,
      'line break': 'it lists a name a line',
      control: 'its reader of XML refuses the name in a listing',
    },
  },
} as const satisfies Readonly<Record<string, Gaps>>;

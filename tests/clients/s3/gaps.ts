/** What each tool cannot express, and why: the round trip sends it as signed requests of ours. */
import type { StepName } from './s3-tool.ts';

export type Gaps = {
  readonly steps: Readonly<Partial<Record<StepName, string>>>;
  /** By the names of ODD_KEYS: what it cannot store, read or delete. */
  readonly keys: Readonly<Record<string, string>>;
};

const NONE: Gaps = { steps: {}, keys: {} };

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
  boto3: NONE,
  'AWS SDK for JavaScript': NONE,
  'aws-sdk-go-v2': NONE,
  'aws-sdk-rust': NONE,
  rclone: {
    steps: { putChecked: 'it sends no checksum but Content-MD5' },
    keys: RCLONE_KEYS,
  },
  mc: {
    steps: {},
    keys: {
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

/** The parameters of every operation that is served; the compiler holds the table complete. */
import type { ServedName } from '../operations/operation-table.ts';
import { BUCKET_PARAMETERS } from './bucket-parameters.ts';
import { OBJECT_PARAMETERS } from './object-parameters.ts';
import type { OperationParameters } from './parameter-rules.ts';
import { UPLOAD_PARAMETERS } from './upload-parameters.ts';

export const PARAMETERS: Readonly<Record<ServedName, OperationParameters>> = {
  ...BUCKET_PARAMETERS,
  ...OBJECT_PARAMETERS,
  ...UPLOAD_PARAMETERS,
};

/** What every engine says when a commit names what is not there, or stands in its way. */
import { ServiceError } from '../../core/errors.ts';

export function bucketNotFound(): ServiceError {
  return new ServiceError('bucket_not_found', 'There is no such bucket.');
}

export function bucketExists(): ServiceError {
  return new ServiceError('bucket_exists', 'The bucket name is taken.');
}

export function bucketNotEmpty(): ServiceError {
  return new ServiceError('bucket_not_empty', 'The bucket holds objects.');
}

/** A copy named bytes whose last owner was removed meanwhile. */
export function bytesGone(): ServiceError {
  return new ServiceError('object_not_found', 'The bytes to be named are gone.');
}

export function objectNotFound(): ServiceError {
  return new ServiceError('object_not_found', 'There is no object of that name.');
}

export function uploadNotFound(): ServiceError {
  return new ServiceError('upload_not_found', 'There is no such multipart upload.');
}

import { expect, it } from 'vitest';
import { imageTag } from '../../src/resources/core/pod-spec/image-tag.ts';

const SHA = `sha256:${'0'.repeat(64)}`;

it.each([
  ['nginx', 'latest'],
  ['nginx:1.2', '1.2'],
  ['localhost/a', 'latest'],
  ['UPPER/a', 'latest'],
  ['registry:5000/a/b:v1', 'v1'],
  ['[fd00::1]:5000/a', 'latest'],
  [`nginx@${SHA}`, ''],
  [`nginx:latest@${SHA}`, 'latest'],
  ['', undefined],
  ['UPPER', undefined],
  ['a b', undefined],
  ['-a', undefined],
  ['a:', undefined],
  ['a:-b', undefined],
  ['a//b', undefined],
  ['a__b', 'latest'],
  ['a___b', undefined],
  ['a.-b', undefined],
  ['registry:x/a', undefined],
  ['0'.repeat(64), undefined],
  ['a@sha256:00', undefined],
  [`a@md9:${'0'.repeat(64)}`, undefined],
  ['a'.repeat(256), undefined],
])('the tag of %j is %j', (image, tag) => expect(imageTag(image)).toBe(tag));

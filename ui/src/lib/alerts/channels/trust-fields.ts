// Fields that channels have in common: whom to trust, and how long to wait. Pure.
import type { Field } from '../../ui/field';

export const TIMEOUT: Field = {
  key: 'timeout_s',
  label: 'Give up after',
  input: 'number',
  placeholder: '15',
  range: [1, 60],
  hint: 'Seconds.',
  more: true,
};
export const PIN: Field = {
  key: 'pin',
  label: 'Trust only this certificate key',
  input: 'text',
  placeholder: 'sha256/…',
  hint: 'For a server with a certificate of its own making; the test shows it.',
  more: true,
  account: true,
};
export const CA: Field = {
  key: 'ca_pem',
  label: 'Trust this authority',
  input: 'long',
  placeholder: '-----BEGIN CERTIFICATE-----',
  hint: 'Instead of the authorities that this computer trusts.',
  more: true,
  account: true,
};

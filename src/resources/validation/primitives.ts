/** The primitives that rules are made of. */
export {
  isDns1123Label,
  isDns1123Subdomain,
  isLabelValue,
  isPortName,
  isQualifiedName,
} from '../../apimachinery/names.ts';

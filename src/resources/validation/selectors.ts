/** Label selectors and node selectors. */
import { type FieldError, forbiddenField, invalid, required as requiredError } from '../../apimachinery/field.ts';
import type { LabelSelector } from '../../apimachinery/labels.ts';
import { isDns1123Subdomain } from '../../apimachinery/names.ts';
import { labels, labelValue, qualifiedName } from './formats.ts';
import { each, fields, type Rule } from './rules.ts';

/** One requirement of a selector, of labels or of nodes. */
export interface Requirement {
  key?: string;
  operator?: string;
  values?: string[];
}

const IN_TEXT = "must be specified when `operator` is 'In' or 'NotIn'";
const EXISTS_TEXT = "may not be specified when `operator` is 'Exists' or 'DoesNotExist'";

function operatorTakesValues(requirement: Requirement, path: string, errors: FieldError[]): boolean {
  const { operator = '', values = [] } = requirement;
  if (operator === 'In' || operator === 'NotIn') {
    if (values.length === 0) errors.push(requiredError(`${path}.values`, IN_TEXT));
  } else if (operator === 'Exists' || operator === 'DoesNotExist') {
    if (values.length > 0) errors.push(forbiddenField(`${path}.values`, EXISTS_TEXT));
  } else {
    return false;
  }
  return true;
}

const labelRequirement: Rule<Requirement> = (requirement, path, errors) => {
  if (!operatorTakesValues(requirement, path, errors)) {
    errors.push(invalid(`${path}.operator`, requirement.operator ?? '', 'not a valid selector operator'));
  }
  keyAndValues(requirement, path, errors);
};

const keyAndValues: Rule<Requirement> = ({ key, values }, path, errors) => {
  qualifiedName(key, `${path}.key`, errors);
  each(labelValue)(values, `${path}.values`, errors);
};

/** A requirement of labels in a review, where newer clients may use operators that are not known here. */
export const reviewedLabel: Rule<Requirement> = (requirement, path, errors) => {
  operatorTakesValues(requirement, path, errors);
  keyAndValues(requirement, path, errors);
};

/** A requirement of fields in a review. */
export const reviewedField: Rule<Requirement> = (requirement, path, errors) => {
  if ((requirement.key ?? '') === '') errors.push(requiredError(`${path}.key`, 'must be specified'));
  operatorTakesValues(requirement, path, errors);
};

/** A label selector (`ValidateLabelSelector`). */
export const labelSelector: Rule<LabelSelector | undefined> = (selector, path, errors) => {
  if (selector === undefined) return;
  labels(selector.matchLabels, `${path}.matchLabels`, errors);
  each(labelRequirement)(selector.matchExpressions, `${path}.matchExpressions`, errors);
};

const nodeRequirement: Rule<Requirement> = (requirement, path, errors) => {
  const { operator = '', values = [] } = requirement;
  if (operator === 'Gt' || operator === 'Lt') {
    if (values.length !== 1) {
      const detail = "must be specified single value when `operator` is 'Lt' or 'Gt'";
      errors.push(requiredError(`${path}.values`, detail));
    }
  } else if (!operatorTakesValues(requirement, path, errors)) {
    errors.push(invalid(`${path}.operator`, operator, 'not a valid selector operator'));
  }
  qualifiedName(requirement.key, `${path}.key`, errors);
};

const nodeField: Rule<Requirement> = (requirement, path, errors) => {
  const { key = '', operator = '', values = [] } = requirement;
  if (operator === 'In' || operator === 'NotIn') {
    if (values.length !== 1) {
      const detail = "must be only one value when `operator` is 'In' or 'NotIn' for node field selector";
      errors.push(requiredError(`${path}.values`, detail));
    }
  } else {
    errors.push(invalid(`${path}.operator`, operator, 'not a valid selector operator'));
  }
  if (key !== 'metadata.name') {
    errors.push(invalid(`${path}.key`, key, 'not a valid field selector key'));
    return;
  }
  values.forEach((value, index) => {
    for (const problem of isDns1123Subdomain(value)) errors.push(invalid(`${path}.values[${index}]`, value, problem));
  });
};

/** `core/v1.NodeSelectorTerm`. */
export interface NodeSelectorTerm {
  matchExpressions?: Requirement[];
  matchFields?: Requirement[];
}

/** A term of a node selector (`ValidateNodeSelectorTerm`); its values may be anything, as upstream has it for preferences. */
export const nodeSelectorTerm: Rule<NodeSelectorTerm | undefined> = (term, path, errors) => {
  if (term === undefined) return;
  fields<NodeSelectorTerm>({ matchExpressions: each(nodeRequirement), matchFields: each(nodeField) })(
    term,
    path,
    errors,
  );
};

const termWithLabelValues: Rule<NodeSelectorTerm> = (term, path, errors) => {
  nodeSelectorTerm(term, path, errors);
  each<Requirement>(({ values }, at) => each(labelValue)(values, `${at}.values`, errors))(
    term.matchExpressions,
    `${path}.matchExpressions`,
    errors,
  );
};

/** A node selector (`ValidateNodeSelector`): at least one term. */
export const nodeSelector: Rule<{ nodeSelectorTerms?: NodeSelectorTerm[] }> = (selector, path, errors) => {
  const at = `${path}.nodeSelectorTerms`;
  if (!selector.nodeSelectorTerms?.length) {
    errors.push(requiredError(at, 'must have at least one node selector term'));
  } else {
    each(termWithLabelValues)(selector.nodeSelectorTerms, at, errors);
  }
};

/**
 * File descriptors for server reflection, derived from protobufjs's reflection objects: the open API is only there in that form.
 * There is one file per package, with exactly the types that the services can reach.
 */
import type { Enum, Field, MapField, Namespace, ReflectionObject, Service, Type } from 'protobufjs';
import type {
  IDescriptorProto,
  IEnumDescriptorProto,
  IFieldDescriptorProto,
  IFileDescriptorProto,
  IServiceDescriptorProto,
} from 'protobufjs/ext/descriptor.js';

/** Numbers of google.protobuf.FieldDescriptorProto.Type. */
const SCALARS: Readonly<Record<string, number>> = {
  double: 1,
  float: 2,
  int64: 3,
  uint64: 4,
  int32: 5,
  fixed64: 6,
  fixed32: 7,
  bool: 8,
  string: 9,
  bytes: 12,
  uint32: 13,
  sfixed32: 15,
  sfixed64: 16,
  sint32: 17,
  sint64: 18,
};
const TYPE_MESSAGE = 11;
const TYPE_ENUM = 14;
const LABEL_OPTIONAL = 1;
const LABEL_REPEATED = 3;

/** By name and not by class: the open API comes with a copy of protobufjs of its own. */
const kindOf = (object: ReflectionObject): string => (object.constructor as { className?: string }).className ?? '';
const isType = (object: ReflectionObject): object is Type => kindOf(object) === 'Type';
const isEnum = (object: ReflectionObject): object is Enum => kindOf(object) === 'Enum';

type AnyField = Field | MapField;
const isMap = (field: AnyField): field is MapField => field.map;

const camelToUpper = (name: string): string => name.replace(/(^|_)([a-z])/g, (_match, _before, letter: string) => letter.toUpperCase());

/** `.temporal.api.common.v1` of anything in that package. */
function packageOf(object: ReflectionObject): string {
  let at: ReflectionObject = object;
  while (at.parent && (isType(at) || isEnum(at) || kindOf(at) === 'Service')) at = at.parent;
  return at.fullName.replace(/^\./, '');
}

/** The type or enum of a package that holds this one, or is it. */
function topLevel(object: Type | Enum): Type | Enum {
  let at: Type | Enum = object;
  while (at.parent && isType(at.parent)) at = at.parent;
  return at;
}

/** Fields that the message declares itself: extensions of it live in other packages. */
const ownFields = (type: Type): AnyField[] => type.fieldsArray.filter((field) => !field.name.startsWith('.') && !field.declaringField);

function typeOf(field: AnyField): Pick<IFieldDescriptorProto, 'type' | 'typeName'> {
  const { resolvedType } = field.resolve();
  if (!resolvedType) return { type: SCALARS[field.type] };
  return { type: isEnum(resolvedType) ? TYPE_ENUM : TYPE_MESSAGE, typeName: resolvedType.fullName };
}

const entryName = (field: AnyField): string => `${camelToUpper(field.protoName ?? field.name)}Entry`;

function fieldDescriptor(field: AnyField, type: Type): IFieldDescriptorProto {
  const common = { name: field.protoName ?? field.name, number: field.id, jsonName: field.jsonName ?? field.name };
  if (isMap(field)) return { ...common, label: LABEL_REPEATED, type: TYPE_MESSAGE, typeName: `${type.fullName}.${entryName(field)}` };
  const oneof = field.partOf ? { oneofIndex: type.oneofsArray.indexOf(field.partOf) } : {};
  return { ...common, ...typeOf(field), label: field.repeated ? LABEL_REPEATED : LABEL_OPTIONAL, ...oneof };
}

/** Maps travel as repeated entries, whose type is nested in the message. */
function mapEntry(field: MapField): IDescriptorProto {
  const key = { name: 'key', number: 1, jsonName: 'key', label: LABEL_OPTIONAL, type: SCALARS[field.keyType] };
  const value = { name: 'value', number: 2, jsonName: 'value', label: LABEL_OPTIONAL, ...typeOf(field) };
  return { name: entryName(field), field: [key, value], options: { mapEntry: true } };
}

const enumDescriptor = (object: Enum): IEnumDescriptorProto => ({
  name: object.name,
  value: Object.entries(object.values).map(([name, number]) => ({ name, number })),
  ...(new Set(Object.values(object.values)).size < Object.keys(object.values).length && { options: { allowAlias: true } }),
});

function messageDescriptor(type: Type): IDescriptorProto {
  const fields = ownFields(type);
  const nested = type.nestedArray;
  return {
    name: type.name,
    field: fields.map((field) => fieldDescriptor(field, type)),
    oneofDecl: type.oneofsArray.map(({ name, protoName }: { name: string; protoName?: string }) => ({ name: protoName ?? name })),
    nestedType: [...nested.filter(isType).map(messageDescriptor), ...fields.filter(isMap).map(mapEntry)],
    enumType: nested.filter(isEnum).map(enumDescriptor),
  };
}

const serviceDescriptor = (service: Service): IServiceDescriptorProto => ({
  name: service.name,
  method: service.methodsArray.map((method) => ({
    name: method.name,
    inputType: method.resolvedRequestType?.fullName,
    outputType: method.resolvedResponseType?.fullName,
    ...(method.requestStream && { clientStreaming: true }),
    ...(method.responseStream && { serverStreaming: true }),
  })),
});

/** Everything that a message's fields can hold, down to the bottom, by the full name of what holds it. */
function collect(object: Type | Enum, into: Map<string, Type | Enum>): void {
  const top = topLevel(object);
  if (into.has(top.fullName)) return;
  into.set(top.fullName, top);
  const visit = (type: Type): void => {
    for (const field of ownFields(type)) {
      const { resolvedType } = field.resolve();
      if (resolvedType) collect(resolvedType as Type | Enum, into);
    }
    for (const nested of type.nestedArray) if (isType(nested)) visit(nested);
  };
  if (isType(top)) visit(top);
}

/** Names of other packages that a package's descriptors mention. */
function mentioned(file: IFileDescriptorProto, packages: ReadonlyMap<string, string>): string[] {
  const found = new Set<string>();
  const note = (typeName: string | null | undefined): void => {
    const name = typeName && packages.get(typeName);
    if (name && name !== file.name) found.add(name);
  };
  const visit = (message: IDescriptorProto): void => {
    for (const field of message.field ?? []) note(field.typeName);
    for (const nested of message.nestedType ?? []) visit(nested);
  };
  for (const message of file.messageType ?? []) visit(message);
  for (const service of file.service ?? []) {
    for (const method of service.method ?? []) {
      note(method.inputType);
      note(method.outputType);
    }
  }
  return [...found].sort();
}

/** Full names of a file's types, nested ones too, each with the file's name. */
function declare(file: IFileDescriptorProto, types: Map<string, string>): void {
  const visit = (message: IDescriptorProto, scope: string): void => {
    const fullName = `${scope}.${message.name}`;
    types.set(fullName, file.name ?? '');
    for (const nested of message.nestedType ?? []) visit(nested, fullName);
    for (const nested of message.enumType ?? []) types.set(`${fullName}.${nested.name}`, file.name ?? '');
  };
  const scope = `.${file.package}`;
  for (const message of file.messageType ?? []) visit(message, scope);
  for (const each of file.enumType ?? []) types.set(`${scope}.${each.name}`, file.name ?? '');
}

/** The files of these services, of all that their messages can hold, and of further types that travel inside `Any`. */
export function fileDescriptors(services: readonly Service[], further: readonly Type[] = []): IFileDescriptorProto[] {
  const reachable = new Map<string, Type | Enum>();
  for (const type of further) collect(type, reachable);
  for (const method of services.flatMap((service) => service.methodsArray)) {
    method.resolve();
    for (const type of [method.resolvedRequestType, method.resolvedResponseType]) if (type) collect(type, reachable);
  }
  const files = new Map<string, IFileDescriptorProto>();
  const fileOf = (object: ReflectionObject) => {
    const name = packageOf(object);
    const file = files.get(name) ?? {
      name: `${name.replaceAll('.', '/')}.proto`,
      package: name,
      syntax: 'proto3',
      messageType: [],
      enumType: [],
      service: [],
    };
    files.set(name, file);
    return file;
  };
  for (const object of reachable.values()) {
    if (isEnum(object)) fileOf(object).enumType?.push(enumDescriptor(object));
    else fileOf(object).messageType?.push(messageDescriptor(object));
  }
  for (const service of services) fileOf(service).service?.push(serviceDescriptor(service));
  const types = new Map<string, string>();
  for (const file of files.values()) declare(file, types);
  return [...files.values()].map((file) => ({ ...file, dependency: mentioned(file, types) }));
}

/** The messages of a package, for example all error details. */
export const messagesOf = (namespace: Namespace): Type[] => namespace.nestedArray.filter(isType);

// What users of the published packages see in their editors: every exported symbol has a comment, and so has every method of a class; no signature says `any`
// but for those below. Fields have one too, unless the comment of their type names them in backticks, or their type is one literal (`type: 'signal'`) and says
// all. Reads the declarations that tsc wrote, with the TypeScript that still has an interface for programs.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join, relative } from 'node:path';
import { ROOT } from './prepare.mjs';

const ts = createRequire(join(ROOT, 'eslint-plugin', 'package.json'))('typescript');

const PACKAGES = ['worker-sdk', 'eslint-plugin', 'server'];

const FUNCTIONS = 'stands for functions of any parameters and, in calls by name, for arguments and results of any type: unknown refuses the first, never the second';
const ALLOWED_ANY = new Map([
  ['Workflow', FUNCTIONS],
  ['WorkflowReturnType', FUNCTIONS],
  ['WorkflowUpdateType', FUNCTIONS],
  ['WorkflowUpdateValidatorType', FUNCTIONS],
  ['WorkflowSignalType', FUNCTIONS],
  ['WorkflowQueryType', FUNCTIONS],
  ['SinkFunction', FUNCTIONS],
  ['WorkerOptions.sinks', 'sinks of every type'],
  ['LogMetadata', 'with unknown, objects of named interfaces would not fit'],
  ['Info.heartbeatDetails', 'code that is ported reads fields of it'],
]);

/** Declaration files of a package's entries. */
const entriesOf = (folder) => {
  const { exports } = JSON.parse(readFileSync(join(ROOT, folder, 'package.json'), 'utf8'));
  return Object.values(exports).filter((entry) => typeof entry === 'object').map(({ types, import: esm }) => join(ROOT, folder, types ?? esm.types));
};

const findings = [];
const anySeen = new Set();

for (const folder of PACKAGES) {
  const entries = entriesOf(folder);
  const program = ts.createProgram(entries, { module: ts.ModuleKind.NodeNext, moduleResolution: ts.ModuleResolutionKind.NodeNext, strict: true, skipLibCheck: true, types: ['node'], typeRoots: [join(ROOT, 'node_modules/@types')] });
  const checker = program.getTypeChecker();
  const seen = new Set();
  const isOurs = (node) => node.getSourceFile().fileName.startsWith(join(ROOT, folder, 'dist'));
  const place = (node) => {
    const file = node.getSourceFile();
    return `${relative(ROOT, file.fileName).replace('/dist/', '/').replace(/\.d\.ts$/, '.ts')}`;
  };
  const say = (node, name, what) => findings.push(`${place(node)}: ${name} ${what}`);

  const checkAny = (node, name) => {
    const visit = (child) => {
      if (child.kind === ts.SyntaxKind.AnyKeyword && ALLOWED_ANY.has(name)) anySeen.add(name);
      else if (child.kind === ts.SyntaxKind.AnyKeyword) say(child, name, `says any: ${child.parent.getText().replace(/\s+/g, ' ').slice(0, 100)}`);
      ts.forEachChild(child, visit);
    };
    if (!isPrivate(node)) visit(node);
  };

  const isPrivate = (node) => (ts.getCombinedModifierFlags(node) & (ts.ModifierFlags.Private | ts.ModifierFlags.Protected)) !== 0 || (node.name !== undefined && ts.isPrivateIdentifier(node.name));

  const hasComment = (symbol) =>
    symbol.getDocumentationComment(checker).length > 0 || symbol.getJsDocTags(checker).length > 0 || (symbol.declarations ?? []).some((node) => ts.isVariableDeclaration(node) && ts.getJSDocCommentsAndTags(node.parent.declarations[0]).length > 0);

  /** `type: 'signal'`: what could be said of it is said. */
  const isLiteral = (type) => type !== undefined && (ts.isLiteralTypeNode(type) || type.kind === ts.SyntaxKind.UndefinedKeyword);

  /** The comment of the interface or class may speak of its fields itself, where each has little to say. */
  const isNamedAbove = (declaration, field) => commentOf(declaration).includes(`\`${field}\``);

  const isInternal = (symbol) => symbol.getJsDocTags(checker).some(({ name }) => name === 'internal');
  const commentOf = (declaration) => ts.displayPartsToString(checker.getSymbolAtLocation(declaration.name)?.getDocumentationComment(checker) ?? []);

  /** Objects written out in a type (`{ … }`, parts of unions and intersections, elements of lists): their fields are public like those of interfaces. */
  const checkShapes = (type, name, above) => {
    if (ts.isUnionTypeNode(type) || ts.isIntersectionTypeNode(type)) for (const part of type.types) checkShapes(part, name, above);
    else if (ts.isParenthesizedTypeNode(type)) checkShapes(type.type, name, above);
    else if (ts.isArrayTypeNode(type)) checkShapes(type.elementType, name, above);
    if (!ts.isTypeLiteralNode(type)) return;
    for (const member of type.members) {
      if (member.name === undefined) continue;
      const symbol = checker.getSymbolAtLocation(member.name);
      const own = symbol ? ts.displayPartsToString(symbol.getDocumentationComment(checker)) : '';
      if (symbol && !hasComment(symbol) && !isLiteral(member.type) && !above.includes(`\`${symbol.name}\``)) say(member, `${name}.${symbol.name}`, 'has no comment');
      if (member.type) checkShapes(member.type, `${name}.${symbol?.name}`, `${above} ${own}`);
    }
  };

  const checkMembers = (declaration, name) => {
    if (!ts.isClassDeclaration(declaration) && !ts.isInterfaceDeclaration(declaration)) return;
    for (const member of declaration.members) {
      if (isPrivate(member)) continue;
      checkAny(member, `${name}.${member.name?.getText() ?? '()'}`);
      // What a constructor, a call or an index takes is said above.
      if (member.name === undefined || ts.isConstructorDeclaration(member)) continue;
      const symbol = checker.getSymbolAtLocation(member.name);
      if (member.type && symbol && !isInternal(symbol)) checkShapes(member.type, `${name}.${symbol.name}`, `${commentOf(declaration)} ${commentOf(member)}`);
      if (!symbol || hasComment(symbol) || inheritsComment(declaration, symbol)) continue;
      if (ts.isComputedPropertyName(member.name) || isLiteral(member.type) || isNamedAbove(declaration, symbol.name)) continue;
      if (ts.isClassDeclaration(declaration) && ts.isMethodDeclaration(member)) say(member, `${name}.${symbol.name}()`, 'has no comment');
      else say(member, `${name}.${symbol.name}`, 'has no comment');
    }
  };

  /** A member of a class may be described where the class says that it has it. */
  const inheritsComment = (declaration, symbol) =>
    (declaration.heritageClauses ?? []).flatMap((clause) => [...clause.types]).some((base) => {
      const property = checker.getTypeAtLocation(base).getProperty(symbol.name);
      return property !== undefined && (hasComment(property) || !property.declarations?.some(isOurs));
    });

  for (const entry of entries) {
    const module = checker.getSymbolAtLocation(program.getSourceFile(entry));
    for (const exported of checker.getExportsOfModule(module)) {
      const symbol = exported.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(exported) : exported;
      if (seen.has(symbol)) continue;
      seen.add(symbol);
      const declarations = (symbol.declarations ?? []).filter(isOurs);
      if (declarations.length === 0) continue;
      if (!hasComment(symbol) && !hasComment(exported)) say(declarations[0], exported.name, 'has no comment');
      for (const declaration of declarations) {
        if (ts.isClassDeclaration(declaration) || ts.isInterfaceDeclaration(declaration)) checkMembers(declaration, exported.name);
        else checkAny(declaration, exported.name);
        if (ts.isTypeAliasDeclaration(declaration)) checkShapes(declaration.type, exported.name, commentOf(declaration));
      }
    }
  }
  console.log(`${folder}: ${seen.size} exported symbols`);
}

for (const name of ALLOWED_ANY.keys()) if (!anySeen.has(name)) findings.push(`${name} is allowed to say any and does not: take it from the list`);
for (const finding of findings) console.log(finding);
console.log(findings.length === 0 ? `Every symbol, method and field has a comment; no any but for ${anySeen.size} with reasons` : `${findings.length} findings`);
process.exit(findings.length === 0 ? 0 : 1);

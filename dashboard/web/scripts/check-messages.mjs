// Both catalogues hold the same keys with the same placeholders, every key a page uses exists, none is
// unused, and no page holds Chinese text of its own.
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

const root = new URL('../src/', import.meta.url).pathname;
const read = (name) => JSON.parse(readFileSync(join(root, 'messages', name), 'utf8'));

const flatten = (tree, path = '') =>
  Object.entries(tree).flatMap(([key, value]) =>
    typeof value === 'string' ? [[path + key, value]] : flatten(value, `${path}${key}.`),
  );
const zh = new Map(flatten(read('zh-CN.json')));
const en = new Map(flatten(read('en.json')));
const placeholders = (text) => [...new Set(text.match(/\{\w+\}/g) ?? [])].sort().join(' ');

const faults = [];
for (const [key, text] of zh) {
  if (!en.has(key)) faults.push(`en.json lacks ${key}`);
  else if (placeholders(text) !== placeholders(en.get(key))) faults.push(`${key}: placeholders differ`);
  if (!text.trim()) faults.push(`${key} is empty in zh-CN.json`);
}
for (const [key, text] of en) {
  if (!zh.has(key)) faults.push(`zh-CN.json lacks ${key}`);
  if (/[\u4e00-\u9fff]/.test(text)) faults.push(`${key} has Chinese in en.json`);
}

const sources = readdirSync(root, { recursive: true })
  .filter((name) => /\.(vue|ts)$/.test(name) && !name.endsWith('.test.ts') && !name.includes('fixtures') && name !== join('api', 'schema.ts'))
  .map((name) => [name, readFileSync(join(root, name), 'utf8')]);
const used = new Set();
const prefixes = new Set();
for (const [name, text] of sources) {
  if (/[\u4e00-\u9fff]/.test(text)) faults.push(`${name} holds Chinese text; it belongs in the catalogues`);
  for (const [, key] of text.matchAll(/\bt\(\s*'([^']+)'/g)) used.add(key);
  // Keys chosen between (t(late ? 'a' : 'b')) stand as plain words somewhere in the same file.
  for (const [, key] of text.matchAll(/'([\w.]+)'/g)) if (zh.has(key)) used.add(key);
  for (const [, prefix] of text.matchAll(/\bt\(\s*`([^`$]+)\$\{/g)) prefixes.add(prefix);
}
// What the API may say has words before a page meets it: every value of these enumerations.
const schemas = JSON.parse(readFileSync(new URL('../openapi.json', import.meta.url), 'utf8')).components.schemas;
const SAID = [
  [schemas.IncidentState.enum, 'state'],
  [schemas.Step.enum, 'step'],
  [schemas.Step.enum, 'event'],
  [schemas.Role.enum, 'role'],
  [schemas.EvidenceRole.enum, 'evidence'],
  [schemas.CameraCondition.enum, 'condition'],
  [schemas.Trouble.enum, 'trouble'],
  [schemas.Flaw.enum, 'flaw'],
  [schemas.ZoneKind.enum, 'zone'],
  // A recall takes a task away and is not announced.
  [schemas.TaskMessage.properties.kind.enum.filter((kind) => kind !== 'recalled'), 'task.told'],
];
for (const [values, prefix] of SAID)
  for (const value of values) if (!zh.has(`${prefix}.${value}`)) faults.push(`the API says ${value}, which ${prefix} has no words for`);
for (const key of used) if (!zh.has(key)) faults.push(`a page asks for ${key}, which no catalogue has`);
for (const prefix of prefixes)
  if (![...zh.keys()].some((key) => key.startsWith(prefix))) faults.push(`no key starts with ${prefix}`);
for (const key of zh.keys())
  if (!used.has(key) && ![...prefixes].some((prefix) => key.startsWith(prefix))) faults.push(`${key} is never used`);

if (faults.length) {
  console.error(faults.join('\n'));
  process.exit(1);
}
console.log(`${zh.size} messages, complete in both languages`);

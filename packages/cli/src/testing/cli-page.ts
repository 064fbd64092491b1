/** Writes `docs/cli.md` from the commands themselves. */
import type { Option } from 'commander'
import type { CommandSpec } from '../command.ts'
import { configFileNames } from '../config-file.ts'
import { globalOptions } from '../global-options.ts'
import { type SettingKey, settingKeys } from '../settings.ts'

export function cliPage(specs: readonly CommandSpec[]): string {
  return `# The \`evt\` command

<!-- Written from the commands: after a change, npx vitest run --project unit packages/cli/src/docs.test.ts -u -->

\`npx evt\` in a project that has \`@evtkit/cli\`; \`npm install --global @evtkit/cli\` for the word alone. \`evt --help\` and
\`evt <command> --help\` say what is said here.

${table(
  ['command', ''],
  specs.map((spec) => [`[\`evt ${spec.path}\`](#${anchor(spec)})`, cell(spec.summary)]),
)}

## Output and exit codes

Results go to standard output, progress and errors to standard error. On a terminal results are tables and text; elsewhere they are plain
aligned text; with \`--json\` they are JSON, one value per line, with stable keys. \`NO_COLOR\` and \`--no-color\` switch colours off,
\`FORCE_COLOR\` switches them on. Control characters in what comes from outside are escaped, and secrets are not printed.

${table(
  ['exit code', ''],
  [
    ['0', 'done'],
    ['1', 'failed, or found nothing'],
    ['2', 'wrong usage or settings'],
    ['3', 'a check did not pass, or something was refused'],
    ['130', 'interrupted by Ctrl-C'],
  ],
)}

An error says what happened, why, and what to do next; with \`--json\` it is one line
\`{"error":{"command":…,"code":…,"what":…,"why":[…],"next":…}}\` on standard error. \`EVT_DEBUG=1\` adds the stack.

## Options of every command

${table(['option', ''], globalOptions().map(optionRow))}

## Settings

Each setting is taken from the first that says something: the option, the \`EVT_\` variable, the context, the config file, a
well-known variable, the default. The config file is the first of ${configFileNames.map((name) => `\`${name}\``).join(', ')} found from the
working directory up to the root of the git repository, or the one named by \`--config\` or \`EVT_CONFIG\`; paths in it are relative to it.

${table(
  ['key', 'variable', 'fallback', ''],
  settingKeys.map((setting: SettingKey) => [
    `\`${setting.key}\``,
    `\`${setting.env}\``,
    setting.fallbackEnv === undefined ? '' : `\`${setting.fallbackEnv}\``,
    cell(setting.says),
  ]),
)}

A context is a set of settings under a name. \`--context\`, \`EVT_CONTEXT\` or \`context\` in the file choose one. Of secrets the file
names the environment variable that holds them.

\`\`\`json
{
  "schemas": "schemas",
  "generated": "src/contracts",
  "context": "dev",
  "contexts": {
    "dev": { "brokers": ["localhost:9092"], "registry": "http://localhost:8081" },
    "prod": {
      "brokers": ["kafka-1.example.com:9093", "kafka-2.example.com:9093"],
      "kafka": {
        "ssl": true,
        "sasl": { "mechanism": "scram-sha-512", "username": "evt", "passwordEnv": "KAFKA_PASSWORD" }
      },
      "registry": { "url": "https://registry.example.com", "username": "evt", "passwordEnv": "REGISTRY_PASSWORD" },
      "database": { "urlEnv": "PROD_DATABASE_URL" }
    }
  }
}
\`\`\`

${specs.map(section).join('\n')}`
}

function section(spec: CommandSpec): string {
  const { path, summary, description, args = [], options = [], examples } = spec
  const usage = ['evt', path, ...(options.length > 0 ? ['[options]'] : []), ...args.map(([form]) => form)].join(' ')
  const parts = [
    `## evt ${path}`,
    `${capital(summary)}.`,
    ...(description === undefined ? [] : [description]),
    `\`\`\`\n${usage}\n\`\`\``,
    ...(args.length === 0
      ? []
      : [
          table(
            ['argument', ''],
            args.map(([form, says]) => [`\`${form}\``, cell(says)]),
          ),
        ]),
    ...(options.length === 0 ? [] : [table(['option', ''], options.map(optionRow))]),
    `\`\`\`sh\n${examples.map(([line, says]) => `${line}\n# ${says}`).join('\n\n')}\n\`\`\``,
  ]
  return `${parts.join('\n\n')}\n`
}

function optionRow(option: Option): [string, string] {
  const extra = [
    ...(option.argChoices === undefined ? [] : [`one of ${option.argChoices.join(', ')}`]),
    ...(option.defaultValue === undefined
      ? []
      : [`default: ${option.defaultValueDescription ?? String(option.defaultValue)}`]),
  ]
  return [`\`${option.flags}\``, cell(`${option.description}${extra.length === 0 ? '' : ` (${extra.join('; ')})`}`)]
}

function table(titles: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`
  return [line(titles), line(titles.map(() => '---')), ...rows.map(line)].join('\n')
}

const anchor = ({ path }: CommandSpec): string => `evt-${path.replaceAll(' ', '-')}`
const cell = (text: string): string => text.replaceAll('|', '\\|').replace(/\s*\n\s*/g, ' ')
const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1)

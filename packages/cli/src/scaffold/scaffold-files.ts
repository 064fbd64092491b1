import { contractFiles } from './scaffold-contracts.ts'
import { sourceFiles } from './scaffold-sources.ts'

/** What a new service is made from. */
export interface Scaffold {
  /** Name of the package and of the service in every envelope. */
  readonly name: string
  /** What npm installs for each of our packages: a version, or a file. */
  readonly packages: Readonly<Record<'@evtkit/sdk' | '@evtkit/cli', string>>
  /** Further development dependencies, such as a local build of a package that another needs. */
  readonly extra: Readonly<Record<string, string>>
}

/** Packages that a new service needs besides ours; the versions are those that we test with. */
export const scaffoldPackages = {
  dependencies: { kafkajs: '2.2.4' },
  devDependencies: { '@types/node': '20.19.43', tsx: '4.23.15', typescript: '6.0.3', vitest: '4.1.12' },
} as const

/** Every file of a new service but the generated ones, by path. */
export function scaffoldFiles(scaffold: Scaffold): ReadonlyMap<string, string> {
  return new Map([
    ['package.json', `${JSON.stringify(manifest(scaffold, {}), undefined, 2)}\n`],
    ['tsconfig.json', tsconfig],
    ['.gitignore', 'node_modules\ndist\n.evtkit\n'],
    ['evt.config.json', `${JSON.stringify({ schemas: 'schemas', generated: 'src/contracts' }, undefined, 2)}\n`],
    ['README.md', readme(scaffold.name)],
    ...contractFiles(scaffold.name),
    ...sourceFiles(scaffold.name),
  ])
}

type Manifest = Readonly<Record<string, unknown>>

/** The manifest of the service; what `existing` says already is kept, except that the files are ES modules. */
export function manifest({ name, packages, extra }: Scaffold, existing: Manifest): Manifest {
  const section = (key: string): Manifest => {
    const value = existing[key]
    return typeof value === 'object' && value !== null ? { ...value } : {}
  }
  const scripts = {
    start: 'tsx src/main.ts',
    test: 'vitest run',
    check: 'evt generate --check && tsc --noEmit',
    generate: 'evt generate',
  }
  // `npm init` writes a test script that fails on purpose.
  const { test, ...ownScripts } = section('scripts')
  const ownTest = typeof test === 'string' && !test.includes('no test specified') ? { test } : {}
  const present = { ...section('dependencies'), ...section('devDependencies') }
  const missing = (wanted: Readonly<Record<string, string>>) =>
    Object.fromEntries(Object.entries(wanted).filter(([key]) => !(key in present)))
  const ours = { '@evtkit/sdk': packages['@evtkit/sdk'], ...scaffoldPackages.dependencies }
  const tools = { '@evtkit/cli': packages['@evtkit/cli'], ...extra, ...scaffoldPackages.devDependencies }
  return {
    name,
    version: '0.0.0',
    private: true,
    ...existing,
    type: 'module',
    engines: { node: '>=20.19', ...section('engines') },
    scripts: { ...scripts, ...ownScripts, ...ownTest },
    dependencies: sorted({ ...missing(ours), ...section('dependencies') }),
    devDependencies: sorted({ ...missing(tools), ...section('devDependencies') }),
  }
}

function sorted(section: Manifest): Manifest {
  return Object.fromEntries(Object.entries(section).sort(([a], [b]) => (a < b ? -1 : 1)))
}

const tsconfig = `{
  "compilerOptions": {
    "target": "ES2023",
    "lib": ["ES2023"],
    "module": "NodeNext",
    "moduleResolution": "NodeNext",
    "types": ["node"],
    "strict": true,
    "noUncheckedIndexedAccess": true,
    "exactOptionalPropertyTypes": true,
    "verbatimModuleSyntax": true,
    "allowImportingTsExtensions": true,
    "noEmit": true,
    "skipLibCheck": true
  },
  "include": ["src"]
}
`

const readme = (name: string): string => `# ${name}

An event-driven service: it publishes \`OrderCreated\` to the topic \`order-events\`, and handles it.

\`\`\`sh
npm install
npm test         # the whole flow, in one process
npm start        # the same with a broker in memory
\`\`\`

| file | what it is |
|---|---|
| \`schemas/topics.yaml\` | the topics: partitions, retention, key, owner, events |
| \`schemas/orders/OrderCreated.v1.avsc\` | the data of the event |
| \`schemas/consumers.yaml\` | who reads what |
| \`src/contracts/\` | generated from \`schemas/\` by \`npx evt generate\`; commit it |
| \`src/producer.ts\`, \`src/consumer.ts\` | publishing and handling, with types from the contracts |
| \`src/connection.ts\` | which broker and which format: Kafka and Avro where the environment names them |
| \`src/order-flow.test.ts\` | the flow as a test |

## On real servers

\`\`\`sh
eval "$(npx evt dev up --contracts --env)"   # Kafka, PostgreSQL and a schema registry on this computer
npx evt doctor                               # one line per part, with what to do
npm start                                    # Avro over Kafka
npx evt dev down
\`\`\`

## Changing the contract

Edit the file in \`schemas/\`, then \`npx evt generate\`. \`npx evt schema check\` says whether running
consumers and old records can cope, and how to make the change safely when they cannot. \`npm run check\` fails while
\`src/contracts\` is stale.
`

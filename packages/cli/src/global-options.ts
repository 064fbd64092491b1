import { Option } from 'commander'

/** The options that every command has. Made anew for each: commander keeps state in them. */
export function globalOptions(): Option[] {
  const options = [
    new Option('--json', 'results as JSON, one per line'),
    new Option('--config <file>', 'config file; by default evt.config.* from here up to the git root'),
    new Option('--context <name>', 'context of the config file to use'),
    new Option('--schemas <folder>', 'folder of the contracts'),
    new Option('--brokers <list>', 'Kafka brokers, host:port, separated by commas'),
    new Option('--registry <url>', 'schema registry'),
    new Option('--database <url>', 'PostgreSQL database'),
    new Option('--no-color', 'no colours'),
  ]
  for (const option of options) option.helpGroup('Global options:')
  return options
}

/** For a command that asks before it changes something. */
export const yesOption = (): Option => new Option('-y, --yes', 'do it without asking')

import { InvalidConfigurationError } from '../core/errors.ts'

/** Where a registry is, taken apart so that credentials are never where addresses are printed. */
export interface RegistryAddress {
  readonly secure: boolean
  readonly hostname: string
  readonly port: number
  /** Without a slash at its end; empty for a registry at the root. */
  readonly basePath: string
  /** Sent with every request, as `name=value` joined by `&`; empty for none. */
  readonly query: string
  readonly credentials: { readonly username: string; readonly password: string } | undefined
  /** For messages: without credentials and query. */
  readonly place: string
}

/** @throws InvalidConfigurationError which never repeats the text: it may hold a password. */
export function parseRegistryAddress(text: string): RegistryAddress {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url === undefined || (url.protocol !== 'http:' && url.protocol !== 'https:'))
    throw new InvalidConfigurationError(
      'the address of the schema registry must be an http or https URL, such as http://localhost:8081 or https://registry.example/apis/ccompat/v7' +
        (url === undefined ? '; what was given cannot be read as a URL' : `; got one that begins with ${url.protocol}`),
    )
  const secure = url.protocol === 'https:'
  const basePath = url.pathname.replace(/\/+$/, '')
  return {
    secure,
    // Brackets belong to the URL, not to the IPv6 address.
    hostname: url.hostname.replace(/^\[(.*)\]$/, '$1'),
    port: url.port === '' ? (secure ? 443 : 80) : Number(url.port),
    basePath,
    query: url.search.slice(1),
    credentials:
      url.username === '' && url.password === ''
        ? undefined
        : { username: unescaped(url.username), password: unescaped(url.password) },
    place: `${url.protocol}//${url.host}${basePath}`,
  }
}

function unescaped(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    // A bare % stands for itself.
    return text
  }
}

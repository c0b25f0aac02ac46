/** The settings of an AWS SDK for JavaScript v2 constructor that the store uses. It ignores all others. */
export interface Version2Config {
  /** AWS Region. Default: `AWS_REGION`, then the Region of the profile. */
  region?: string | null
  /** URL of the service, a host, or an `AWS.Endpoint`. Default: the endpoint of the Region. */
  endpoint?:
    | string
    | {
        /** The endpoint's URL. */
        href: string
      }
  /** Access key ID. Default: the AWS default credentials chain. */
  accessKeyId?: string
  /** Secret access key. */
  secretAccessKey?: string
  /** Session token of temporary credentials. Default: none. */
  sessionToken?: string
  /** An `AWS.Credentials`, which is refreshed before it expires. Takes precedence over the keys above. */
  credentials?: {
    /** Access key ID. */
    accessKeyId: string
    /** Secret access key. */
    secretAccessKey: string
  } | null
  /** A provider chain, which is resolved again before its credentials expire. Takes precedence over the keys above. */
  credentialProvider?: {
    /** Resolves to an `AWS.Credentials`. */
    resolvePromise(): Promise<any>
  } | null
  /** Maximum number of retries of one operation. Default: `AWS_MAX_ATTEMPTS` minus one, then 2. */
  maxRetries?: number
  /** HTTP options, of which only the two timeouts apply. */
  httpOptions?: {
    /** Time limit to establish a connection, including TLS, in milliseconds. Default: 1000. */
    connectTimeout?: number
    /** Time limit of one attempt, in milliseconds. Default: 3000. */
    timeout?: number
    /** Ignored. */
    [name: string]: any
  }
  /** Whether to use TLS if `endpoint` is a host without a scheme. Default: true. */
  sslEnabled?: boolean
  /** Whether to use the Region's dual-stack endpoint (IPv4 and IPv6). Default: the setting of the environment. */
  useDualstackEndpoint?: boolean
  /** Whether to use the Region's FIPS endpoint. Default: the setting of the environment. */
  useFipsEndpoint?: boolean
  /** Ignored. */
  [name: string]: any
}

/** What a constructor of the AWS SDK for JavaScript v2 takes, as far as it is followed. Other members are let pass. */
export interface Version2Config {
  /** AWS Region. Default: `AWS_REGION`, else that of the profile. */
  region?: string | null
  /** URL of the service, a host, or an `AWS.Endpoint`. Default: that of the region. */
  endpoint?:
    | string
    | {
        /** The URL. */
        href: string
      }
  /** Key that signs requests, together with `secretAccessKey`. Default: AWS's default chain. */
  accessKeyId?: string
  /** Secret of `accessKeyId`. */
  secretAccessKey?: string
  /** Token of temporary keys. Default: none. */
  sessionToken?: string
  /** An `AWS.Credentials`, which is asked again before it expires. Before the keys above. */
  credentials?: {
    /** Key that signs requests. */
    accessKeyId: string
    /** Its secret. */
    secretAccessKey: string
  } | null
  /** A chain of providers; it is resolved again before what it gave expires. Before the keys above. */
  credentialProvider?: {
    /** Gives an `AWS.Credentials`. */
    resolvePromise(): Promise<any>
  } | null
  /** Attempts of one operation after the first. Default: `AWS_MAX_ATTEMPTS` less one, else 2. */
  maxRetries?: number
  /** Its two timeouts count, and nothing else of it. */
  httpOptions?: {
    /** Milliseconds to connect in, TLS included. Default: 1000. */
    connectTimeout?: number
    /** Milliseconds of one attempt. Default: 3000. */
    timeout?: number
    /** Without effect. */
    [name: string]: any
  }
  /** Whether a host that is given as `endpoint` is spoken to with TLS. Default: true. */
  sslEnabled?: boolean
  /** Whether the region's endpoint is that for IPv4 and IPv6. Default: that of the environment. */
  useDualstackEndpoint?: boolean
  /** Whether the region's endpoint is that of FIPS. Default: that of the environment. */
  useFipsEndpoint?: boolean
  /** Without effect. */
  [name: string]: any
}

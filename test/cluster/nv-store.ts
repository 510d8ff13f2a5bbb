/** An entry of nv-ipam's store, by "<container>_<interface>". */
export type NvEntry = {
  container_id: string;
  interface_name: string;
  ip_address: string;
  metadata: Record<string, string>;
};

/** The file in which nv-ipam's daemon keeps what it gave, by pool. */
export type NvStore = {
  version: 1;
  checksum: number;
  pools: Record<
    string,
    {
      name: string;
      entries: Record<string, NvEntry>;
      last_pool_config: unknown;
      last_reserved_ip: string | null;
    }
  >;
};

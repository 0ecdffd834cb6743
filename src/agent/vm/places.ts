// Where things are on a plain host.

export interface Places {
  /** The agent's executable and its `.env`. */
  programDir: string;
  unitDir: string;
}

export const PROGRAM_NAME = "core-dump-handler";

export const HOST_PLACES: Places = {
  programDir: "/opt/core-dump-handler",
  unitDir: "/etc/systemd/system",
};

// The program's places on a plain host.

/** The folders on a plain host. */
export interface ServicePlaces {
  /** The folder of the agent's executable and its `.env`. */
  programDir: string;
  unitDir: string;
  /** A folder of everybody's PATH, which gets a link to the executable. */
  commandDir: string;
}

/** The executable's name. */
export const PROGRAM_NAME = "core-dump-handler";

/** The real folders. */
export const HOST_PLACES: ServicePlaces = {
  programDir: "/opt/core-dump-handler",
  unitDir: "/etc/systemd/system",
  commandDir: "/usr/local/bin",
};

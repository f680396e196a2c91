import { serveSideJobs } from "../../platform";
import { WORK } from "./work";

// A process beside the one that answers payments, started by the reconciliation desk. It ends with it.
serveSideJobs(WORK);

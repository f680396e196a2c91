import { serve } from "./cli/serve";
import { configFromProcess } from "./platform";

// The container's entry: the same as `biller serve`.
void serve(configFromProcess);

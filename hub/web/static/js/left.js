// @ts-check
// Nobody is logged in here: nobody's notices come here.
import { release } from 'hub/device';

release().catch(() => {});

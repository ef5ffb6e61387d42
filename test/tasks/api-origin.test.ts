import { describeTaskApi } from './task-api.ts';
import { startAlone } from './task-hosts.ts';

describeTaskApi('an origin alone', startAlone);

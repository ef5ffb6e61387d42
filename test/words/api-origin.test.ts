import { describeWords } from './word-api.ts';
import { startAlone } from './word-hosts.ts';

describeWords('the origin alone', (settings) => startAlone(settings));

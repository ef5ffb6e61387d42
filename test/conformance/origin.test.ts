import { startOriginHost } from '../hosts/origin-host.ts';
import { describeConformance } from './conformance.ts';

describeConformance('origin alone', startOriginHost);

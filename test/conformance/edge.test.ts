import { startEdgeHost } from '../hosts/edge-host.ts';
import { describeConformance } from './conformance.ts';

describeConformance('edge on workerd', startEdgeHost);

/** Where memory runs out, the kernel ends a database before the gateway, and after the engines. */
export const OOM_SCORE = 250;

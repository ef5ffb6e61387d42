/**
 * The least a Worker can do between a caller and a vendor: it returns the vendor's answer, and
 * workerd moves the bytes without any JavaScript.
 */
export default {
  /**
   * @param {Request} request
   * @param {{ UPSTREAM_URL: string }} env
   */
  fetch(request, env) {
    const { pathname } = new URL(request.url);
    return fetch(new Request(env.UPSTREAM_URL + pathname, request));
  },
};

/** The API's reference: Swagger UI over this host's own OpenAPI document. */

import 'swagger-ui-dist/swagger-ui.css';
import SwaggerUI from 'swagger-ui-dist/swagger-ui-es-bundle.js';

SwaggerUI({
  dom_id: '#api',
  url: new URL('openapi.json', location.href).href,
  deepLinking: true,
  // Responses of a stream are long, and a token in the browser's storage outlives the tab.
  displayRequestDuration: true,
  persistAuthorization: false,
  // The badge would ask a server of its makers.
  validatorUrl: null,
});

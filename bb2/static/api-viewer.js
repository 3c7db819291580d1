/* The viewer of /docs/api: Swagger UI, told where the document is and who it is. */
"use strict";
addEventListener("load", () => {
  const place = document.getElementById("api-viewer");
  const viewer = SwaggerUIBundle({
    domNode: place,
    url: place.dataset.document,
    oauth2RedirectUrl: place.dataset.signedIn,
    presets: [SwaggerUIBundle.presets.apis],
    validatorUrl: null, // the document is shown to nobody else
    deepLinking: true,
    docExpansion: "list",
    defaultModelsExpandDepth: -1,
    displayRequestDuration: true,
  });
  viewer.initOAuth({ clientId: place.dataset.clientId, usePkceWithAuthorizationCodeGrant: true });
});

/* The viewer of /docs/api: Swagger UI, told where the document is and who it is. */
"use strict";
addEventListener("load", () => {
  const place = document.getElementById("api-viewer");
  const nothing = () => null; // the page has a title, and the server is this one
  const ours = (system) => ({
    components: { InfoContainer: nothing, ServersContainer: nothing },
    wrapComponents: { CloseIcon: () => () => system.React.createElement("span", null, "Close") },
  });
  const viewer = SwaggerUIBundle({
    domNode: place,
    url: place.dataset.document,
    oauth2RedirectUrl: place.dataset.signedIn,
    presets: [SwaggerUIBundle.presets.apis],
    plugins: [ours],
    validatorUrl: null, // the document is shown to nobody else
    docExpansion: "list",
    defaultModelsExpandDepth: -1,
    displayRequestDuration: true,
    onComplete: () => place.querySelector("main").setAttribute("role", "presentation"), // the page has one already
  });
  viewer.initOAuth({ clientId: place.dataset.clientId, usePkceWithAuthorizationCodeGrant: true });
});

/* The viewer of /docs/api: Swagger UI, told where the document is and who it is. */
"use strict";
addEventListener("load", () => {
  const place = document.getElementById("api-viewer");
  const ours = ({ React: { createElement: make } }) => ({
    components: {
      // Of what Swagger UI shows, what the page has not already: a title, a main part, the one server.
      Operations: ({ getComponent, specSelectors }) =>
        specSelectors.specJson().size > 0 &&
        make(
          "div",
          { className: "swagger-ui" },
          make(getComponent("SvgAssets")),
          make(getComponent("errors", true)),
          make("div", { className: "scheme-container" }, make(getComponent("AuthorizeBtnContainer", true))),
          make(getComponent("operations", true)),
        ),
    },
    wrapComponents: { CloseIcon: () => () => make("span", null, "Close") },
  });
  const viewer = SwaggerUIBundle({
    domNode: place,
    url: place.dataset.document,
    oauth2RedirectUrl: place.dataset.signedIn,
    presets: [SwaggerUIBundle.presets.apis],
    plugins: [ours],
    layout: "Operations",
    validatorUrl: null, // the document is shown to nobody else
    docExpansion: "list",
    defaultModelsExpandDepth: -1,
    displayRequestDuration: true,
  });
  viewer.initOAuth({ clientId: place.dataset.clientId, usePkceWithAuthorizationCodeGrant: true });
});

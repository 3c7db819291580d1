/* The viewer of /docs/api: Swagger UI, told where the document is and who it is. */
"use strict";

/* Swagger UI would send every example at once; what may be left out is left out, and the example told. */
const withoutChoices = (spec) => {
  const operations = Object.values(spec.paths).flatMap((path) => Object.values(path));
  for (const parameter of operations.flatMap((operation) => operation.parameters ?? [])) {
    if (parameter.example !== undefined && !parameter.required) {
      parameter.description = `${parameter.description ?? ""} Such as \`${parameter.example}\`.`;
      delete parameter.example;
    }
  }
  delete spec.components.securitySchemes.openId; // it leads to the same pages as oauth2_v2, and would be listed twice
  return spec;
};

/* Once, when the dialog opens: the focus goes to its top, where one signs in as a person. */
const focused = (label) => label?.parentElement.focus();

addEventListener("load", async () => {
  const place = document.getElementById("api-viewer");
  const spec = withoutChoices(await (await fetch(place.dataset.document)).json());
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
    wrapComponents: {
      CloseIcon: () => () => make("span", { ref: focused }, "Close"),
      // Swagger UI takes it to the user name of the way that apps go, far down.
      Input: (Input) => (props) => make(Input, { ...props, autoFocus: false }),
    },
  });
  const viewer = SwaggerUIBundle({
    domNode: place,
    spec,
    oauth2RedirectUrl: place.dataset.signedIn,
    presets: [SwaggerUIBundle.presets.apis],
    plugins: [ours],
    layout: "Operations",
    validatorUrl: null, // the document is shown to nobody else
    docExpansion: "none",
    defaultModelsExpandDepth: -1,
    displayRequestDuration: true,
  });
  viewer.initOAuth({ clientId: place.dataset.clientId, usePkceWithAuthorizationCodeGrant: true });
});

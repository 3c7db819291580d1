// Reads a collection with Postman's own library, and says what each of its requests would send, variables filled in.
// In: {"collection", "variables"}; out: [{"folder", "name", "method", "url", "body", "auth"}].

import { readFileSync } from "node:fs";
import postman from "postman-collection";

const { Collection, Property, Url } = postman;
const told = JSON.parse(readFileSync(0, "utf-8"));
const collection = new Collection(told.collection);
collection.syncVariablesFrom(told.variables);

const requests = [];
collection.forEachItem((item) => {
  const { request } = item;
  const { url } = Property.replaceSubstitutionsIn({ url: request.url.toJSON() }, [collection.variables]);
  const fields = Object.fromEntries(request.body?.urlencoded.all().map(({ key, value }) => [key, value]) ?? []);
  const form = Property.replaceSubstitutionsIn(fields, [collection.variables]);
  const folders = [];
  item.forEachParent({}, (parent) => folders.unshift(parent.name));
  requests.push({
    folder: folders.at(-1),
    name: item.name,
    method: request.method,
    url: new Url(url).toString(),
    body: new URLSearchParams(form).toString(),
    auth: item.getAuth()?.type ?? null,
  });
});
console.log(JSON.stringify(requests));

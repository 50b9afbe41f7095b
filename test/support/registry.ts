/** A registry for containerds to pull from, over plain HTTP. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { parseImageName } from '../../agent/kubelet/image-name.ts';
import type { BuiltImage } from './images.ts';

export interface Registry {
  /** `127.0.0.1:5000` */
  address: string;
  /** What it can give: may be added to. */
  images: BuiltImage[];
  stop(): void;
}

/** Serves images under their own repositories and tags, whatever registry their names are of; `user` (`name:password`) alone, where given. */
export async function startRegistry(host: string, images: BuiltImage[], user?: string): Promise<Registry> {
  const wanted = user === undefined ? undefined : `Basic ${Buffer.from(user).toString('base64')}`;
  const server = createServer(({ url = '', headers }, response) => {
    if (wanted !== undefined && headers.authorization !== wanted) {
      response.writeHead(401, { 'www-authenticate': 'Basic realm="registry"' }).end();
      return;
    }
    const [, repository, what, id = ''] = /^\/v2\/(.+)\/(manifests|blobs)\/([^?]+)/.exec(url) ?? [];
    const image = images.find(({ name }) => {
      const parsed = parseImageName(name);
      return parsed.repository === repository && parsed.tag === id;
    });
    const digest = image?.manifestDigest ?? id;
    const body = images.map(({ blobs }) => blobs.get(digest)).find((blob) => blob !== undefined);
    if (body === undefined) {
      response.writeHead(/^\/v2\/?$/.test(url) ? 200 : 404).end();
      return;
    }
    const type = what === 'manifests' ? 'application/vnd.oci.image.manifest.v1+json' : 'application/octet-stream';
    const more = { 'docker-content-digest': digest, 'content-length': body.length };
    response.writeHead(200, { 'content-type': type, ...more }).end(body);
  });
  await new Promise<void>((resolve) => server.listen(0, host, resolve));
  const address = `${host}:${(server.address() as AddressInfo).port}`;
  return { address, images, stop: () => void server.close().closeAllConnections() };
}

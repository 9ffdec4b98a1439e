// Regions kept with a job: the Brain knows their names, the unit's storage holds their masks.
import { call } from '../api'
import { fetched, placeOf, type SignedLink } from './package'
import { COLOURS, type Region } from './regions'
import { coincide, compressed, fileLike, readVolume, type Volume } from './volume'

interface Kept {
  readonly regionId: string
  readonly name: string
  readonly description: { readonly colour?: unknown }
  readonly download: SignedLink
}
export interface Loaded {
  readonly regions: readonly Omit<Region, 'id'>[]
  /** Names of regions that lie on other voxels than the map. */
  readonly elsewhere: readonly string[]
}

/** Reads the regions of a job that lie on the voxels of a map. */
export async function load(jobId: string, map: Volume): Promise<Loaded> {
  const { regions: kept } = await call<{ regions: readonly Kept[] }>('GET', `${placeOf(jobId)}/regions`)
  const masks = await Promise.all(kept.map(async (each) => readVolume(await fetched(each.download))))
  const fits = masks.map((mask) => coincide(mask, map))
  return {
    regions: kept.flatMap((each, index) => {
      const mask = masks[index]
      if (!mask || !fits[index]) return []
      const colour = String(each.description.colour ?? '')
      return [
        {
          name: each.name,
          colour: /^#[0-9a-f]{6}$/i.test(colour) ? colour : (COLOURS[index % COLOURS.length] as string),
          voxels: Uint8Array.from(mask.values, (value) => (value ? 1 : 0)),
          keptAs: each.regionId,
        },
      ]
    }),
    elsewhere: kept.filter((_, index) => !fits[index]).map(({ name }) => name),
  }
}

/** Keeps a region with a job: its mask goes straight into the unit's storage. Returns its id. */
export async function keep(jobId: string, map: Volume, region: Region, description: Record<string, unknown>): Promise<string> {
  const mask = await compressed(fileLike(map, region.voxels, region.name))
  const announced = await call<{ regionId: string; upload: SignedLink }>('POST', `/api/job/${jobId}/regions`, {
    name: region.name,
    description: { colour: region.colour, ...description },
    sizeBytes: mask.byteLength,
  })
  const { method, url, headers } = announced.upload
  const response = await fetch(url, { method, headers, body: mask, credentials: 'omit' })
  if (!response.ok) throw new Error(`The storage of the unit answered ${response.status}.`)
  return announced.regionId
}

export async function remove(jobId: string, regionId: string): Promise<void> {
  await call('DELETE', `/api/job/${jobId}/regions/${regionId}`)
}

// What the Brain says is wrong with a task, beside the fields it is about.
import { isAsked, type Field, type Values } from './values'

const PLACES: readonly [RegExp, Field][] = [
  [/\bNR\b/, 'replicas'],
  [/\bboxSize\b/, 'boxSize'],
  [/\bseed\b/, 'seed'],
  [/\bnoiseDomain\b/, 'noiseDomain'],
  [/\bmask\b/, 'mask'],
  [/\bkernelSize\b/, 'kernelX'],
  [/\bkeepAcs\b/, 'keepAcs'],
  [/\bdecimate\b/, 'decimate'],
  [/\bacl\b/, 'acsY'],
  [/\bacceleration/, 'accelerationY'],
  [/\bsensitivityMap/, 'coilMaps'],
  [/\bcorrection\b|faCorrection/, 'flipAngleFile'],
  [/\bnoise\b|repetition/, 'noise'],
  [/\breconstructor\.name\b|\bscanner\b/, 'reconstruction'],
]

export interface Problem {
  readonly field: Field | null
  readonly text: string
}

/** Takes a refusal apart: one problem a sentence, `place: what is wrong`. */
export function problemsOf(message: string): Problem[] {
  const said = message.replace(/^The task is not valid: /, '').replace(/\.$/, '')
  return said.split('; ').map((sentence) => {
    const [, place = '', what = sentence] = /^([\w.]+): (.*)$/s.exec(sentence) ?? []
    const found = PLACES.find(([pattern]) => pattern.test(place)) ?? PLACES.find(([pattern]) => pattern.test(what))
    return { field: found?.[1] ?? null, text: what }
  })
}

const NEEDED: readonly [Field, string][] = [
  ['noiseFile', 'choose the noise scan, or say otherwise where the noise comes from'],
  ['mapsFile', 'choose the file'],
  ['maskFile', 'choose the mask'],
  ['maskValue', 'say which value'],
]

/** What somebody chose to give, and has not given yet. */
export function lackingIn(values: Values): Problem[] {
  return NEEDED.filter(([field]) => isAsked(field, values) && values[field] === '').map(([field, text]) => ({ field, text }))
}

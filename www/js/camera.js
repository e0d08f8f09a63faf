// What this tab shows in the call: camera and microphone or, if there are none, a drawn picture.

import { hue, initials } from './names.js';

/**
 * Returns `{ stream, note, mirrored, stop }`. `note` says what isn't available and why, or is
 * empty.
 */
export async function openCamera({ id, name }) {
  const devices = navigator.mediaDevices;
  if (!devices) {
    return drawn({ id, name }, 'Browsers give camera and microphone to https pages and to localhost only, so the others see a drawn picture.');
  }
  const video = { width: { ideal: 640 }, height: { ideal: 360 }, facingMode: 'user' };
  try {
    return real(await devices.getUserMedia({ audio: true, video }), '');
  } catch (error) {
    if (error.name === 'NotAllowedError') {
      return drawn({ id, name }, 'You didn’t allow camera and microphone, so the others see a drawn picture.');
    }
    try {
      return real(await devices.getUserMedia({ video }), 'There is no microphone here: the others see you and don’t hear you.');
    } catch {
      const why = error.name === 'NotFoundError' ? 'There is no camera here' : `The camera can’t be used (${error.message || error.name})`;
      const sound = await devices.getUserMedia({ audio: true }).catch(() => undefined);
      return drawn({ id, name }, `${why}, so the others see a drawn picture.`, sound);
    }
  }
}

function real(stream, note) {
  return { stream, note, mirrored: true, stop: () => stop(stream) };
}

function drawn({ id, name }, note, sound) {
  const canvas = document.createElement('canvas');
  canvas.width = 640;
  canvas.height = 360;
  const draw = painter(canvas, id, name);
  draw();
  // A timer, because animation frames stop in hidden tabs, and of two tabs in a call one is hidden.
  const timer = setInterval(draw, 1000 / 15);
  const stream = canvas.captureStream();
  for (const track of sound?.getAudioTracks() ?? []) stream.addTrack(track);
  return {
    stream,
    note,
    mirrored: false,
    stop: () => {
      clearInterval(timer);
      stop(stream);
    },
  };
}

function stop(stream) {
  for (const track of stream.getTracks()) track.stop();
}

function painter(canvas, id, name) {
  const paint = canvas.getContext('2d', { alpha: false });
  const { width, height } = canvas;
  const colour = hue(id);
  const letters = initials(name);
  return () => {
    const seconds = performance.now() / 1000;
    const ground = paint.createLinearGradient(0, 0, width, height);
    ground.addColorStop(0, `hsl(${colour} 45% 30%)`);
    ground.addColorStop(1, `hsl(${(colour + 50) % 360} 50% 16%)`);
    paint.fillStyle = ground;
    paint.fillRect(0, 0, width, height);

    for (let ring = 0; ring < 3; ring += 1) {
      const phase = (seconds / 3 + ring / 3) % 1;
      paint.strokeStyle = `hsl(${colour} 80% 75% / ${(1 - phase) * 0.5})`;
      paint.lineWidth = 3;
      paint.beginPath();
      paint.arc(width / 2, height / 2, 70 + phase * 110, 0, 2 * Math.PI);
      paint.stroke();
    }
    paint.fillStyle = `hsl(${colour} 55% 30%)`;
    paint.beginPath();
    paint.arc(width / 2, height / 2, 70, 0, 2 * Math.PI);
    paint.fill();

    paint.fillStyle = '#fff';
    paint.textAlign = 'center';
    paint.textBaseline = 'middle';
    paint.font = '600 54px system-ui, sans-serif';
    paint.fillText(letters, width / 2, height / 2 + 3);
    paint.font = '20px system-ui, sans-serif';
    paint.fillText(new Date().toLocaleTimeString(), width - 70, 30);
  };
}
